import type { QueryResultRow } from 'pg'
import { quoteLiteral } from '../../names/schema-name.js'
import { schemaOidColumn } from '../schema-oid.js'
import { type TenantRow, tenantOf } from '../table/table-row.js'
import type { Tenant } from '../tenant.js'
import type { Mapping } from './mapping.js'

/** A row of the service's table, as it is selected. */
export interface MappedRow
  extends
    QueryResultRow,
    Pick<TenantRow, 'id' | 'slug' | 'name' | 'schema' | 'metadata' | 'createdAt' | 'schemaOid'> {
  readonly status: string | null
}

/** What is selected of the service's table `t` for a tenant. */
export function tenantColumns(mapping: Mapping): string {
  const { column } = mapping.tenants
  const [metadata, createdAt] = [column('metadata'), column('createdAt')]
  return [
    `t.${column('id')}::text as id`,
    `t.${column('slug')}::text as slug`,
    `t.${column('name') ?? column('slug')}::text as name`,
    `${schemaText(mapping)} as schema`,
    `${statusText(mapping)} as status`,
    `${metadata === undefined ? `'{}'::text` : `coalesce(t.${metadata}::jsonb, '{}')::text`} as metadata`,
    `${createdAt === undefined ? `'0'::text` : `floor(extract(epoch from t.${createdAt}::timestamptz) * 1000)::text`} as "createdAt"`,
    schemaOidColumn(schemaText(mapping)),
  ].join(', ')
}

/** The name of the tenant's schema. */
function schemaText({ tenants, schemaPrefix }: Mapping): string {
  const schema = tenants.column('schema')
  if (schema !== undefined) return `t.${schema}::text`
  return `${quoteLiteral(schemaPrefix ?? '')} || t.${tenants.column('slug')}::text`
}

function statusText({ tenants, statuses }: Mapping): string {
  const status = tenants.column('status')
  return status === undefined ? quoteLiteral(statuses.write('active') ?? '') : `t.${status}::text`
}

/** A row as a tenant, without what the statement has selected besides. */
export function tenantOfRow({ statuses }: Mapping, row: MappedRow): Tenant {
  const { id, slug, name, schema, metadata, createdAt, schemaOid } = row
  const status = statuses.read(row.status, slug)
  return tenantOf({ id, slug, name, schema, status, metadata, createdAt, schemaOid })
}
