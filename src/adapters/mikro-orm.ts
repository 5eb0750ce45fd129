/**
 * MikroORM in the tenant of the scope.
 *
 * @module tenantry/mikro-orm
 */

import type { PoolClient } from 'pg'
import { isTenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import { currentScope, tryCurrentScope } from '../scope/context.js'
import { optionInvalid } from '../support/options.js'
import { guardKnexClient } from './orm/knex-client.js'
import {
  type NameRule,
  type NamedSchemasOption,
  type PoolOwner,
  cacheBypassed,
  nameRule,
  scopeBypassed,
} from './orm/name-rule.js'
import { beforeEachCall, isCallable, isObject, property, replaceMember } from './orm/property.js'

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/** MikroORM leaves this one out of statements, so that the path counts. */
const DEFAULT_SCHEMA = 'public'

/** Lets knex do without asking for the version; this is the oldest that is supported. */
const OLDEST_VERSION = '15.0'

/**
 * Makes a MikroORM 6 that answers for the ambient tenant, and refuses what would not.
 *
 * The knex inside of it takes clients from the router's pool. A schema of the options, of an entity or of
 * a query would be written into the statement; the result cache is one for all tenants; and an
 * EntityManager remembers entities by their keys, so each belongs to the first tenant that uses
 * it. They are refused elsewhere. What stands in your own SQL text is not seen.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes the ORM without connecting; where it would connect to does not count.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`, `SCOPE_BYPASSED` for the option `allowGlobalContext`;
 * statements, the result cache and an EntityManager of another tenant are refused with `SCOPE_BYPASSED`
 * @example
 * import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantMikroOrm } from 'tenantry/mikro-orm'
 *
 * const Loan = new EntitySchema<{ id: number; item: string }>({
 *   name: 'loans',
 *   properties: { id: { type: 'number', primary: true }, item: { type: 'text' } },
 * })
 *
 * function loansOf(router: SchemaRouter, slug: string): Promise<object[]> {
 *   const orm = tenantMikroOrm(router, () => {
 *     return MikroORM.initSync({ entities: [Loan], dbName: 'any' })
 *   })
 *   return router.runAs(slug, () => orm.em.fork().find(Loan, {}))
 * }
 */
export function tenantMikroOrm<O extends object>(
  router: PoolOwner,
  make: () => O,
  options: NamedSchemasOption = {},
): O {
  const rule = nameRule(options)
  const orm = make()
  const config = property(orm, 'config')
  const manager = property(orm, 'em')
  const driver = property(orm, 'driver')
  const connection = callMember(driver, 'getConnection')
  if (!isObject(manager) || !isObject(driver) || !hasKnex(connection)) {
    throw optionInvalid('make', 'Return MikroORM.initSync({ … }) of @mikro-orm/postgresql.')
  }
  refuseSettings(config, rule)
  seatConnection(connection, (client) => {
    seatPool(client, router)
    guardKnexClient(client, rule)
  })
  // Some statements are written without knex, with the table's name from here.
  beforeEachCall(driver, 'getTableName', (entity, how) => {
    judgeTable(callMember(driver, 'getSchemaName', entity, how), entity)
  })
  guardCache(callMember(config, 'getResultCacheAdapter'))
  keepErrors(driver)
  new Ownership(manager).watch(manager)
  return orm

  function judgeTable(schema: unknown, entity: unknown): void {
    if (schema === DEFAULT_SCHEMA) return
    rule(schema, `entity "${String(property(entity, 'className'))}"`)
  }
}

function callMember(value: unknown, member: string, ...args: readonly unknown[]): unknown {
  const called = property(value, member)
  return isCallable(called) ? Reflect.apply(called, value, args) : undefined
}

function hasKnex(connection: unknown): connection is object {
  return isObject(connection) && isCallable(property(connection, 'createKnex'))
}

function refuseSettings(config: unknown, rule: NameRule): void {
  const schema = callMember(config, 'get', 'schema')
  if (schema !== DEFAULT_SCHEMA) rule(schema, 'option "schema"')
  const replicas = callMember(config, 'get', 'replicas')
  if (Array.isArray(replicas) && replicas.length > 0) {
    throw optionInvalid('replicas', 'Leave "replicas" out: all clients are the router’s.')
  }
  if (callMember(config, 'get', 'allowGlobalContext') === true) {
    throw scopeBypassed(
      'Leave "allowGlobalContext" out: all tenants would share one identity map.',
      {
        option: 'allowGlobalContext',
      },
    )
  }
}

/** MikroORM makes a knex when it first needs one, and another one when it connects again. */
function seatConnection(connection: object, seat: (client: object) => void): void {
  const create = property(connection, 'createKnex')
  const seatCurrent = (): void => {
    const client = property(property(connection, 'client'), 'client')
    if (isObject(client)) seat(client)
  }
  const value = (): void => {
    if (isCallable(create)) Reflect.apply(create, connection, [])
    seatCurrent()
  }
  replaceMember(connection, 'createKnex', value)
  seatCurrent()
}

/** Puts the router's pool into the place of knex's own, which has connected to nothing yet. */
function seatPool(client: object, router: PoolOwner): void {
  const types = property(property(client, 'connectionSettings'), 'types')
  void callMember(property(client, 'pool'), 'destroy')
  const lend = async (): Promise<object> => typedConnection(await router.pool.connect(), types)
  const pool = {
    acquire: () => ({ promise: lend() }),
    release: (connection: object): boolean => {
      callMember(connection, 'release', Boolean(property(connection, '__knex__disposed')))
      return true
    },
    destroy: async (): Promise<void> => {},
  }
  Reflect.set(client, 'pool', pool)
  Reflect.set(client, 'version', OLDEST_VERSION)
}

/** A client that parses what it reads as MikroORM wants it: times stay texts. */
function typedConnection(client: PoolClient, types: unknown): object {
  const connection: object = Object.create(client)
  const value = (config: unknown, ...rest: readonly unknown[]): unknown => {
    const isConfig = isObject(config) && 'text' in config && !('submit' in config)
    return callMember(client, 'query', isConfig ? { ...config, types } : config, ...rest)
  }
  Reflect.defineProperty(connection, 'query', { value })
  return connection
}

/** The result cache knows queries by what they ask for, not by who asks. */
function guardCache(cache: unknown): void {
  if (!isObject(cache)) return
  for (const method of ['get', 'set']) {
    beforeEachCall(cache, method, () => {
      throw cacheBypassed()
    })
  }
}

/** MikroORM would make an error of its own of each error, which is none of the package any more. */
function keepErrors(driver: object): void {
  const convert = property(driver, 'convertException')
  const value = (error: unknown): unknown =>
    isTenantryError(error) || !isCallable(convert) ? error : Reflect.apply(convert, driver, [error])
  replaceMember(driver, 'convertException', value)
}

/** Which schema each EntityManager has entities of: the one that it was first used in. */
class Ownership {
  readonly #global: object
  readonly #owners = new WeakMap<object, SchemaName>()

  constructor(global: object) {
    this.#global = global
  }

  watch(manager: object): void {
    const context = property(manager, 'getContext')
    const fork = property(manager, 'fork')
    if (!isCallable(context) || !isCallable(fork)) return
    const steps = {
      getContext: (...args: readonly unknown[]): unknown => {
        const used = Reflect.apply(context, manager, args)
        if (isObject(used) && used !== this.#global) this.#judge(used)
        return used
      },
      fork: (...args: readonly unknown[]): unknown => {
        const made = Reflect.apply(fork, manager, args)
        if (isObject(made)) this.watch(made)
        return made
      },
    }
    for (const [step, value] of Object.entries(steps)) replaceMember(manager, step, value)
  }

  #judge(manager: object): void {
    const owner = this.#owners.get(manager)
    const schema = owner === undefined ? tryCurrentScope()?.schema : currentScope().schema
    if (schema === undefined || schema === owner) return
    if (owner === undefined) {
      this.#owners.set(manager, schema)
      return
    }
    throw scopeBypassed(
      `This EntityManager has entities of schema "${owner}", and "${schema}" is in scope. ` +
        'Fork one for each request, inside of its tenant’s scope.',
      { schema },
    )
  }
}
