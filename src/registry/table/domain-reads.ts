import type { SchemaName } from '../../names/schema-name.js'
import type { TenantRegistry } from '../registry.js'
import type { Domain } from '../tenant.js'
import { registryTables } from './table-names.js'
import {
  DOMAIN_COLUMNS,
  type DomainRow,
  type ListedDomainRow,
  TENANT_COLUMNS,
  type TenantRow,
  domainOf,
  listedDomainOf,
  rowsIfInstalled,
  tenantOf,
} from './table-row.js'

type DomainReads = Pick<TenantRegistry, 'lookUp' | 'domainsOf' | 'listDomains'>

interface FoundRow extends TenantRow {
  readonly domains: string
}

/** Reads of the registry's own tables that are about domains. */
export function tableDomainReads(shared: SchemaName): DomainReads {
  const { tenants, domains } = registryTables(shared)
  return {
    async lookUp(db, { slugs, hosts }) {
      const rows = await rowsIfInstalled<FoundRow>(
        db,
        `select ${TENANT_COLUMNS}, coalesce((
           select jsonb_agg(jsonb_build_object('host', d.host, 'path', d.path,
             'primary', d.is_primary, 'verified', d.verified_at is not null))
           from ${domains} d where d.tenant_id = t.id
             and (d.is_primary or d.host = any ($2) and d.verified_at is not null)), '[]')::text as domains
         from ${tenants} t where t.id in (
           select id from ${tenants} where slug = any ($1)
           union select tenant_id from ${domains} where host = any ($2) and verified_at is not null)`,
        [slugs, hosts],
      )
      return {
        tenants: rows.map((row) => tenantOf(row)),
        domains: rows.flatMap(({ slug, domains: text }) => {
          const led: readonly Omit<Domain, 'tenant'>[] = JSON.parse(text)
          return led.map((domain) => ({ tenant: slug, ...domain }))
        }),
      }
    },

    async domainsOf(db, slug) {
      const rows = await rowsIfInstalled<DomainRow>(
        db,
        `select ${DOMAIN_COLUMNS} from ${domains} d join ${tenants} t on t.id = d.tenant_id
         where t.slug = $1 order by d.is_primary desc, d.host collate "C", d.path collate "C"`,
        [slug],
      )
      return rows.map((row) => domainOf(row))
    },

    async listDomains(db) {
      const text = `select ${DOMAIN_COLUMNS} from ${domains} d left join ${tenants} t on t.id = d.tenant_id
        order by d.host collate "C", d.path collate "C", t.slug collate "C"`
      return (await rowsIfInstalled<ListedDomainRow>(db, text, [])).map(listedDomainOf)
    },
  }
}
