import type { Tenant } from './tenant.js'

const oids = new WeakMap<object, string>()

/**
 * Says which schema a tenant's is, whatever its name becomes: the scopes of this object are never
 * answered by another schema that gets the name later. For a registry of your own.
 *
 * @param oid From `pg_namespace`, as text, read by the statement that has read the tenant; nothing
 * where there is no schema of that name.
 * @returns the same object
 * @example
 * import { type Tenant, withSchemaOid } from 'tenantry'
 *
 * // select t.*, (select n.oid::text from pg_catalog.pg_namespace n where n.nspname = t.schema) as oid
 * const tenantOf = ({ oid, ...tenant }: Tenant & { oid: string | null }): Tenant =>
 *   withSchemaOid(tenant, oid)
 * @see https://www.postgresql.org/docs/current/catalog-pg-namespace.html
 */
export function withSchemaOid<Known extends Tenant<object>>(
  tenant: Known,
  oid: string | null | undefined,
): Known {
  if (typeof oid === 'string') oids.set(tenant, oid)
  return tenant
}

/** Which schema a tenant's was when the tenant was read, if the registry has said so. */
export function schemaOidOf(tenant: Tenant<object>): string | undefined {
  return oids.get(tenant)
}

/**
 * The identity of a schema as a column. A subquery sees what the rest of the statement sees; a
 * function such as `to_regnamespace` would tell of a schema that got the name a moment later.
 *
 * @param name SQL for the schema's name.
 */
export function schemaOidColumn(name: string): string {
  return `(select n.oid::text from pg_catalog.pg_namespace n where n.nspname = ${name}) as "schemaOid"`
}
