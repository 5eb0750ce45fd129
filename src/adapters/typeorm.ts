/**
 * TypeORM in the tenant of the scope.
 *
 * @module tenantry/typeorm
 */

import { optionInvalid } from '../support/options.js'
import {
  type NameRule,
  type NamedSchemasOption,
  type PoolOwner,
  cacheBypassed,
  nameRule,
} from './orm/name-rule.js'
import { beforeEachCall, isCallable, isObject, property, replaceMember } from './orm/property.js'

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/** TypeORM asks for the version to know what it may write; this is the oldest that is supported. */
const OLDEST_VERSION = '15.0'

/**
 * Makes a TypeORM data source that answers for the ambient tenant, and refuses what would not.
 *
 * Its driver takes clients from the router's pool and never connects by itself, so `initialize()` needs
 * neither a tenant nor a database. A schema of the options, of an entity or of a table's name would be
 * written into each statement; a cache that is not in the database would be one for all tenants. They
 * are refused. What stands in your own SQL text, or is asked of a query runner, is not seen.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes the data source; where it would connect to does not count.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`, and `SCOPE_BYPASSED` for options of the data source;
 * `initialize()` refuses entities, and queries are refused, with `SCOPE_BYPASSED`
 * @example
 * import { DataSource, EntitySchema } from 'typeorm'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantDataSource } from 'tenantry/typeorm'
 *
 * const Loan = new EntitySchema<{ id: number; item: string }>({
 *   name: 'loans',
 *   columns: { id: { type: Number, primary: true, generated: true }, item: { type: String } },
 * })
 *
 * async function loansOf(router: SchemaRouter, slug: string): Promise<object[]> {
 *   const source = tenantDataSource(router, () => {
 *     return new DataSource({ type: 'postgres', entities: [Loan] })
 *   })
 *   await source.initialize()
 *   return router.runAs(slug, () => source.getRepository(Loan).find())
 * }
 */
export function tenantDataSource<D extends object>(
  router: PoolOwner,
  make: () => D,
  options: NamedSchemasOption = {},
): D {
  const rule = nameRule(options)
  const source = make()
  const settings = property(source, 'options')
  const driver = property(source, 'driver')
  if (property(settings, 'type') !== 'postgres' || !isObject(driver)) {
    throw optionInvalid('make', "Return new DataSource({ type: 'postgres', entities: […] }).")
  }
  refuseSettings(settings, rule)
  seatDriver(driver, router, () => judgeEntities(source, rule))
  guardBuilders(source, rule)
  return source
}

function refuseSettings(settings: unknown, rule: NameRule): void {
  rule(property(settings, 'schema'), 'data source')
  if (property(settings, 'replication') !== undefined) {
    throw optionInvalid('replication', 'Leave "replication" out: all clients are the router’s.')
  }
  if (property(settings, 'cache')) throw cacheBypassed()
}

/**
 * TypeORM connects when it is initialized, when no tenant is ambient. What it would ask the server then
 * is the same for all tenants, or is that of one tenant and must not be kept.
 */
function seatDriver(driver: object, router: PoolOwner, ready: () => void): void {
  const steps = {
    connect: async (): Promise<void> => {
      Reflect.set(driver, 'master', router.pool)
      Reflect.set(driver, 'version', OLDEST_VERSION)
    },
    afterConnect: async (): Promise<void> => {
      ready()
      Reflect.set(driver, 'isGeneratedColumnsSupported', true)
    },
  }
  for (const [step, value] of Object.entries(steps)) replaceMember(driver, step, value)
}

function judgeEntities(source: object, rule: NameRule): void {
  const entities = property(source, 'entityMetadatas')
  if (!Array.isArray(entities)) return
  for (const entity of entities) {
    rule(property(entity, 'schema'), `entity "${String(property(entity, 'name'))}"`)
  }
}

const guarded = new WeakMap<object, NameRule>()
const judgedPrototypes = new WeakSet<object>()

/**
 * Has the names of tables judged where all builders write them, sub-queries and joins as well. Their
 * class is that of other data sources, too, which are left alone.
 */
function guardBuilders(source: object, rule: NameRule): void {
  guarded.set(source, rule)
  const create = property(source, 'createQueryBuilder')
  const builder = isCallable(create) ? Reflect.apply(create, source, []) : undefined
  const prototype = ownerOf(builder, 'getTableName')
  if (prototype === undefined || judgedPrototypes.has(prototype)) return
  judgedPrototypes.add(prototype)
  beforeEachCall(prototype, 'getTableName', function (this: unknown, path) {
    const own = property(this, 'dataSource')
    const names = isObject(own) ? guarded.get(own) : undefined
    if (names === undefined || typeof path !== 'string' || !path.includes('.')) return
    names(path.slice(0, path.lastIndexOf('.')), `table "${path}"`)
  })
}

/** The object on the way up whose own member something has. */
function ownerOf(value: unknown, key: string): object | undefined {
  let owner = value
  while (isObject(owner) && !Object.hasOwn(owner, key)) owner = Object.getPrototypeOf(owner)
  return isObject(owner) ? owner : undefined
}
