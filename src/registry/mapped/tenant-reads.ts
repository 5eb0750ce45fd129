import type { TenantFilter, TenantRegistry } from '../registry.js'
import type { Tenant } from '../tenant.js'
import { type MappedRow, tenantColumns, tenantOfRow } from './mapped-row.js'
import type { Mapping } from './mapping.js'

type TenantReads = Pick<TenantRegistry, 'findBySlug' | 'list'>

/** Reads of the service's table. */
export function mappedTenantReads(mapping: Mapping): TenantReads {
  const { quoted, column } = mapping.tenants
  const columns = tenantColumns(mapping)
  return {
    async findBySlug(db, slug) {
      const text = `select ${columns} from ${quoted} t where t.${column('slug')} = $1`
      const [row] = (await db.query<MappedRow>(text, [slug])).rows
      return row && tenantOfRow(mapping, row)
    },

    async list(db, filter = {}) {
      // A row without a slug or a schema is nobody that could be served.
      const { rows } = await db.query<MappedRow>(
        `select * from (select ${columns} from ${quoted} t) t
         where t.slug is not null and t.schema is not null order by t.schema collate "C"`,
      )
      return rows.map((row) => tenantOfRow(mapping, row)).filter(passes(filter))
    },
  }
}

/** By the status that a value stands for, so that one that stands for none is noticed. */
function passes({ status }: TenantFilter): (tenant: Tenant) => boolean {
  if (status === undefined) return (tenant) => tenant.status !== 'deleted'
  const wanted = typeof status === 'string' ? [status] : status
  return (tenant) => wanted.includes(tenant.status)
}
