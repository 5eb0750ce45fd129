import type { QueryResultRow } from 'pg'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { Queryable } from '../../postgres/queryable.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import type { ListedDomain } from '../registry.js'
import { schemaOidColumn, withSchemaOid } from '../schema-oid.js'
import type { Domain, Tenant } from '../tenant.js'

/** A row of the tenants, as it is selected: a service's own type parsers leave text alone. */
export interface TenantRow extends QueryResultRow, Omit<Tenant, 'metadata' | 'createdAt'> {
  readonly metadata: string
  /** Milliseconds. */
  readonly createdAt: string
  readonly schemaOid: string | null
}
/** A row of the domains, as it is selected. */
export interface DomainRow extends QueryResultRow, Omit<Domain, 'primary' | 'verified'> {
  readonly primary: string | null
  readonly verified: string | null
}

/** A row of all domains; one of another hand may belong to nobody. */
export interface ListedDomainRow extends Omit<DomainRow, 'tenant'> {
  readonly tenant: string | null
}

/** The columns of a {@link Tenant}. */
export const TENANT_COLUMNS: string = `t.id, t.slug, t.name, t.schema, t.status, t.metadata::text,
  floor(extract(epoch from t.created_at) * 1000)::text as "createdAt",
  ${schemaOidColumn('t.schema')}`
/** The columns of a {@link Domain}. */
export const DOMAIN_COLUMNS: string = `t.slug as tenant, d.host, d.path, ${yesIf('d.is_primary')} as primary,
  ${yesIf('d.verified_at is not null')} as verified`

/** A row without what the statement has selected besides. */
export function tenantOf(row: TenantRow): Tenant
export function tenantOf(row: TenantRow | undefined): Tenant | undefined
export function tenantOf(row: TenantRow | undefined): Tenant | undefined {
  if (row === undefined) return undefined
  const { id, slug, name, schema, status } = row
  const [metadata, createdAt] = [JSON.parse(row.metadata), new Date(Number(row.createdAt))]
  return withSchemaOid({ id, slug, name, schema, status, metadata, createdAt }, row.schemaOid)
}

/** A row without what the statement has selected besides. */
export function domainOf(row: DomainRow): Domain
export function domainOf(row: DomainRow | undefined): Domain | undefined
export function domainOf(row: DomainRow | undefined): Domain | undefined {
  if (row === undefined) return undefined
  const { tenant, host, path, primary, verified } = row
  return { tenant, host, path, primary: isYes(primary), verified: isYes(verified) }
}

/** A row without what the statement has selected besides. */
export function listedDomainOf(row: ListedDomainRow): ListedDomain {
  const { tenant, host, path, primary, verified } = row
  return {
    tenant: tenant ?? undefined,
    host,
    path,
    primary: isYes(primary),
    verified: isYes(verified),
  }
}

/** A database in which nothing was installed yet has no tenants; reading it writes nothing. */
export async function rowsIfInstalled<R extends QueryResultRow>(
  db: Queryable,
  text: string,
  values: readonly unknown[],
): Promise<readonly R[]> {
  try {
    return (await db.query<R>(text, values)).rows
  } catch (error) {
    if (sqlStateOf(error) === SQL_STATE.undefinedTable) return []
    throw error
  }
}
