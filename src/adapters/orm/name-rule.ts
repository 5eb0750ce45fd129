import { TenantryError } from '../../errors.js'
import { parseSchemaName } from '../../names/schema-name.js'
import type { TenantPool } from '../../scope/tenant-pool.js'
import { listOf, refuseUnknown } from '../../support/options.js'

/** What PostgreSQL tells of itself is nobody's. */
const CATALOGS = ['pg_catalog', 'information_schema'] as const

/** What an adapter needs of a router. */
export interface PoolOwner {
  /** The pool whose every query answers for the ambient tenant. */
  readonly pool: TenantPool
}

/** How an adapter judges names that carry a schema. */
export interface NamedSchemasOption {
  /**
   * Schemas that statements may name, for tables that all tenants share. Everything else that names
   * a schema is refused.
   *
   * @defaultValue `[]`
   */
  readonly schemas?: readonly string[]
}

/** Refuses a schema that may not be named; `what` names it, such as `table "loans"`. */
export type NameRule = (schema: unknown, what: string) => void

/**
 * Makes the rule of one adapter: PostgreSQL looks a name with a schema up there, whatever the path.
 *
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`
 * @see https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
 */
export function nameRule(options: NamedSchemasOption): NameRule {
  refuseUnknown('', options, ['schemas'])
  const schemas = listOf('schemas', options.schemas ?? [])
  const allowed = new Set<unknown>([...CATALOGS, ...schemas.map((name) => parseSchemaName(name))])
  return (schema, what) => {
    if (typeof schema !== 'string' || schema === '' || allowed.has(schema)) return
    throw scopeBypassed(
      `The ${what} names the schema "${schema}", so its statements would leave the tenant’s. ` +
        'Leave the schema out, or allow it with the option "schemas" if all tenants share it.',
      { schema },
    )
  }
}

/** The error for what would answer for another schema than the scope's. */
export function scopeBypassed(
  sentence: string,
  facts: { readonly schema?: string; readonly option?: string } = {},
): TenantryError {
  return new TenantryError('SCOPE_BYPASSED', sentence, facts)
}

/** The error for a cache that knows queries by what they ask for, not by who asks. */
export function cacheBypassed(): TenantryError {
  return scopeBypassed('Leave "cache" out: it would answer one tenant with another’s rows.', {
    option: 'cache',
  })
}
