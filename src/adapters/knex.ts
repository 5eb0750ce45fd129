import type { TenantPool } from '../scope/tenant-pool.js'
import { optionInvalid } from '../support/options.js'
import {
  type NameRule,
  type NamedSchemasOption,
  type PoolOwner,
  nameRule,
  scopeBypassed,
} from './orm/name-rule.js'
import { beforeEachCall, isCallable, isObject, property } from './orm/property.js'

/**
 * Makes a knex that answers for the ambient tenant, and refuses what would not.
 *
 * `withSchema('x')`, and tables such as `'x.loans'`, name their schema in the statement; the option
 * `searchPath` names one for all of them. They are refused. What stands in your own SQL text is not
 * seen. knex takes pools since its version 3.3.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes knex from the pool, which is its `connectionPool`.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`, and `SCOPE_BYPASSED` for the option `searchPath`;
 * statements are refused with `SCOPE_BYPASSED`
 * @example
 * import knex from 'knex'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantKnex } from 'tenantry/knex'
 *
 * function itemsOf(router: SchemaRouter, slug: string): Promise<string[]> {
 *   const db = tenantKnex(router, (pool) => knex({ client: 'pg', connectionPool: pool }))
 *   return router.runAs(slug, () => db('loans').pluck<string[]>('item'))
 * }
 */
export function tenantKnex<K extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => K,
  options: NamedSchemasOption = {},
): K {
  const rule = nameRule(options)
  const db = make(router.pool)
  const client = property(db, 'client')
  const config = property(client, 'config')
  if (!isObject(client) || property(config, 'connectionPool') !== router.pool) {
    throw optionInvalid('make', "Return knex({ client: 'pg', connectionPool: pool }).")
  }
  if (property(config, 'searchPath') !== undefined) {
    throw scopeBypassed('Leave knex’s "searchPath" out: the path is that of the tenant.', {
      option: 'searchPath',
    })
  }
  guard(client, rule)
  return db
}

/**
 * Puts a class of its own above the client. The clients of transactions are made from the class and
 * not from the client, and what one client alone had would be lost to them.
 */
function guard(client: object, rule: NameRule): void {
  const prototype: object = Object.create(Object.getPrototypeOf(client))
  const type = { prototype }
  Reflect.defineProperty(prototype, 'constructor', { value: type })
  // To cancel a query knex would make a connection without knowing where to.
  Reflect.defineProperty(prototype, 'canCancelQuery', { value: false })
  beforeEachCall(prototype, 'queryCompiler', (builder) => judgeQuery(builder, rule))
  beforeEachCall(prototype, 'schemaCompiler', (builder) => judgeChange(builder, rule))
  releaseOnce(prototype)
  Object.setPrototypeOf(client, prototype)
}

/** knex releases the connection of a stream twice, at the end of the stream and of the query. */
function releaseOnce(prototype: object): void {
  const release = property(prototype, 'releaseConnection')
  const released = new WeakSet<object>()
  Reflect.defineProperty(prototype, 'releaseConnection', {
    writable: true,
    async value(this: unknown, connection: object): Promise<void> {
      if (!isCallable(release) || released.has(connection)) return
      released.add(connection)
      await Reflect.apply(release, this, [connection])
    },
  })
}

/** knex compiles each sub-query by itself, so one query's own names are enough. */
function judgeQuery(builder: unknown, rule: NameRule): void {
  const single = property(builder, '_single')
  rule(property(single, 'schema'), 'query')
  for (const key of ['table', 'using', 'updateFrom']) judgeTable(property(single, key), rule)
  const statements = property(builder, '_statements')
  if (!Array.isArray(statements)) return
  for (const statement of statements) {
    if (property(statement, 'joinType') === undefined) continue
    rule(property(statement, 'schema'), 'join')
    judgeTable(property(statement, 'table'), rule)
  }
}

/** What a schema builder was asked for: calls, the first argument of which is a table. */
function judgeChange(builder: unknown, rule: NameRule): void {
  rule(property(builder, '_schema'), 'change')
  const calls = property(builder, '_sequence')
  if (!Array.isArray(calls)) return
  for (const call of calls) judgeTable(property(property(call, 'args'), 0), rule)
}

/** A text `schema.table as alias`, a reference, a list, or an object from aliases to either. */
function judgeTable(table: unknown, rule: NameRule): void {
  if (typeof table === 'string') {
    const [name = ''] = table.split(/ as /i)
    if (name.includes('.')) rule(name.slice(0, name.lastIndexOf('.')).trim(), `table "${table}"`)
    return
  }
  if (!isObject(table) || typeof table === 'function') return
  if (property(table, 'isRawInstance') !== true) {
    if (!Array.isArray(table) && Object.getPrototypeOf(table) !== Object.prototype) return
    for (const each of Object.values(table)) judgeTable(each, rule)
    return
  }
  rule(property(table, '_schema'), 'reference')
  judgeTable(property(table, 'ref'), rule)
}
