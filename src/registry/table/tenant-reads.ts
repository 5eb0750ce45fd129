import type { SchemaName } from '../../names/schema-name.js'
import type { TenantFilter, TenantRegistry } from '../registry.js'
import { TENANT_STATUSES } from '../tenant.js'
import { registryTables } from './table-names.js'
import { TENANT_COLUMNS, type TenantRow, rowsIfInstalled, tenantOf } from './table-row.js'

type TenantReads = Pick<TenantRegistry, 'findBySlug' | 'list'>

/** Reads of the registry's own table. */
export function tableTenantReads(shared: SchemaName): TenantReads {
  const { tenants } = registryTables(shared)
  return {
    async findBySlug(db, slug) {
      const text = `select ${TENANT_COLUMNS} from ${tenants} t where t.slug = $1`
      return tenantOf((await rowsIfInstalled<TenantRow>(db, text, [slug]))[0])
    },

    async list(db, filter) {
      const text = `select ${TENANT_COLUMNS} from ${tenants} t
        where t.status = any ($1) order by t.schema collate "C"`
      const rows = await rowsIfInstalled<TenantRow>(db, text, [statuses(filter)])
      return rows.map((row) => tenantOf(row))
    },
  }
}

function statuses(filter: TenantFilter = {}): readonly string[] {
  const { status } = filter
  if (status === undefined) return TENANT_STATUSES.filter((known) => known !== 'deleted')
  return typeof status === 'string' ? [status] : status
}
