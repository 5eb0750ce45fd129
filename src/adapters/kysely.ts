/**
 * Kysely in the tenant of the scope.
 *
 * @module tenantry/kysely
 */

import type { TenantPool } from '../scope/tenant-pool.js'
import { optionInvalid } from '../support/options.js'
import {
  type NameRule,
  type NamedSchemasOption,
  type PoolOwner,
  nameRule,
} from './orm/name-rule.js'
import { beforeEachCall, isCallable, isObject, property } from './orm/property.js'

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/** These hold values of the caller, which may look like anything. */
const VALUES: ReadonlySet<unknown> = new Set(['ValueNode', 'PrimitiveValueListNode'])

/**
 * Makes a kysely dialect that answers for the ambient tenant, and refuses what would not.
 *
 * `withSchema('x')`, and tables such as `'x.loans'`, name their schema in the statement. They are
 * refused when the statement is compiled, so no plugin comes after that. What stands in your own
 * SQL text, or is put together by `sql.id` and `sql.ref`, is not seen.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes the dialect from the pool.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`; statements are refused with `SCOPE_BYPASSED`
 * @example
 * import { Kysely, PostgresDialect } from 'kysely'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantDialect } from 'tenantry/kysely'
 *
 * interface Tables {
 *   loans: { id: number; item: string }
 * }
 *
 * function itemsOf(router: SchemaRouter, slug: string): Promise<{ item: string }[]> {
 *   const dialect = tenantDialect(router, (pool) => new PostgresDialect({ pool }))
 *   const db = new Kysely<Tables>({ dialect })
 *   return router.runAs(slug, () => db.selectFrom('loans').select('item').execute())
 * }
 */
export function tenantDialect<D extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => D,
  options: NamedSchemasOption = {},
): D {
  const rule = nameRule(options)
  const dialect = make(router.pool)
  const create = property(dialect, 'createQueryCompiler')
  if (!isCallable(create)) {
    throw optionInvalid('make', 'Return new PostgresDialect({ pool }) with the pool that is given.')
  }
  const value = (): unknown => {
    const compiler = Reflect.apply(create, dialect, [])
    if (isObject(compiler)) beforeEachCall(compiler, 'compileQuery', (node) => judge(node, rule))
    return compiler
  }
  Reflect.defineProperty(dialect, 'createQueryCompiler', { configurable: true, value })
  return dialect
}

/** Looks for names with a schema in a statement, which kysely keeps as a tree of nodes. */
function judge(node: unknown, rule: NameRule): void {
  if (!isObject(node) || VALUES.has(property(node, 'kind'))) return
  if (property(node, 'kind') === 'SchemableIdentifierNode') {
    const table = property(property(node, 'identifier'), 'name')
    rule(property(property(node, 'schema'), 'name'), `name "${String(table)}"`)
    return
  }
  for (const part of Object.values(node)) judge(part, rule)
}
