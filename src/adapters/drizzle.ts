/**
 * Drizzle in the tenant of the scope.
 *
 * @module tenantry/drizzle
 */

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

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/** The schema of a table, and what a view is made of: drizzle keeps both under registered symbols. */
const SCHEMA = Symbol.for('drizzle:Schema')
const NAME = Symbol.for('drizzle:Name')
const VIEW = Symbol.for('drizzle:ViewBaseConfig')
const KIND = Symbol.for('drizzle:entityKind')
const IS_ENUM = Symbol.for('drizzle:isPgEnum')

/** These write the names of tables letter by letter, so that their text says nothing any more. */
const BUILDERS = ['buildSelectQuery', 'buildUpdateQuery', 'buildRelationalQueryWithoutPK'] as const

/**
 * Makes a drizzle database that answers for the ambient tenant, and refuses what would not.
 *
 * A table of `pgSchema('x')` names its schema in each statement, and drizzle's cache keeps answers by
 * the text of the statement, which is the same for all tenants. Both are refused. What stands in
 * your own SQL text is not seen.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes the database from the pool.
 * @throws `SCOPE_BYPASSED`: at once for tables of the database's schema, later with the statement
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`
 * @example
 * import { drizzle } from 'drizzle-orm/node-postgres'
 * import { pgTable, serial, text } from 'drizzle-orm/pg-core'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantDrizzle } from 'tenantry/drizzle'
 *
 * const loans = pgTable('loans', { id: serial().primaryKey(), item: text().notNull() })
 *
 * async function loansOf(router: SchemaRouter, slug: string): Promise<unknown[]> {
 *   const db = tenantDrizzle(router, (client) => drizzle({ client, schema: { loans } }))
 *   return router.runAs(slug, () => db.select().from(loans))
 * }
 */
export function tenantDrizzle<D extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => D,
  options: NamedSchemasOption = {},
): D {
  const rule = nameRule(options)
  const db = make(router.pool)
  const dialect = property(db, 'dialect')
  if (!isObject(dialect) || property(db, '$client') !== router.pool) {
    throw optionInvalid('make', 'Return drizzle({ client: pool }) with the pool that is given.')
  }
  if (property(db, '$cache') !== undefined) {
    throw scopeBypassed('Leave drizzle’s "cache" out: it would answer one tenant with another’s.', {
      option: 'cache',
    })
  }
  const tables = property(property(db, '_'), 'fullSchema')
  if (isObject(tables)) Object.values(tables).forEach((table) => judge(table, rule))
  for (const method of BUILDERS) {
    beforeEachCall(dialect, method, (config) => judgeSources(config, rule))
  }
  beforeEachCall(dialect, 'sqlToQuery', (sql) => judge(sql, rule))
  return db
}

function judgeSources(config: unknown, rule: NameRule): void {
  judge(property(config, 'table'), rule)
  judge(property(config, 'from'), rule)
  const joins = property(config, 'joins')
  if (Array.isArray(joins)) joins.forEach((join) => judge(property(join, 'table'), rule))
}

/** Looks at a piece of a statement, and at the pieces that it is made of. */
function judge(piece: unknown, rule: NameRule): void {
  if (Array.isArray(piece)) piece.forEach((part) => judge(part, rule))
  if (!isObject(piece)) return
  if (IS_ENUM in piece) judgeName(piece, `enum "${String(property(piece, 'enumName'))}"`, rule)
  const kinds = kindsOf(piece)
  if (kinds.has('Table')) {
    rule(property(piece, SCHEMA), `table "${String(property(piece, NAME))}"`)
  } else if (kinds.has('View')) {
    const view = property(piece, VIEW)
    judgeName(view, `view "${String(property(view, 'name'))}"`, rule)
  } else {
    partsOf(piece, kinds).forEach((part) => judge(part, rule))
  }
}

function judgeName(named: unknown, what: string, rule: NameRule): void {
  rule(property(named, 'schema'), what)
}

/** What drizzle calls the classes of an object; a caller's own values have none and are left alone. */
function kindsOf(piece: object): ReadonlySet<unknown> {
  const kinds = new Set<unknown>()
  let type = property(Object.getPrototypeOf(piece), 'constructor')
  while (isObject(type) && KIND in type) {
    kinds.add(property(type, KIND))
    type = Object.getPrototypeOf(type)
  }
  return kinds
}

function partsOf(piece: object, kinds: ReadonlySet<unknown>): readonly unknown[] {
  if (kinds.size === 0) return []
  if (kinds.has('SQL')) return [property(piece, 'queryChunks')]
  if (kinds.has('SQL.Aliased')) return [property(piece, 'sql')]
  if (kinds.has('Subquery')) return [property(property(piece, '_'), 'sql')]
  if (kinds.has('Param')) return [property(piece, 'value')]
  if (kinds.has('Column')) return [property(piece, 'table')]
  const write = property(piece, 'getSQL')
  const written = isCallable(write) ? Reflect.apply(write, piece, []) : undefined
  // Texts and placeholders are written as a statement that holds nothing but themselves.
  const chunks = property(written, 'queryChunks')
  return Array.isArray(chunks) ? chunks.filter((chunk) => chunk !== piece) : []
}
