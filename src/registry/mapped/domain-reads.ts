import type { TenantRegistry } from '../registry.js'
import {
  type DomainRow,
  type ListedDomainRow,
  domainOf,
  listedDomainOf,
} from '../table/table-row.js'
import type { Domain } from '../tenant.js'
import { domainTexts } from './domain-texts.js'
import { type MappedRow, tenantColumns, tenantOfRow } from './mapped-row.js'
import type { Mapping } from './mapping.js'

type DomainReads = Required<Pick<TenantRegistry, 'lookUp' | 'domainsOf' | 'listDomains'>>

interface FoundRow extends MappedRow {
  /** A service's own type parsers leave text alone. */
  readonly domains: string
}

/** Reads of the service's tables that are about domains. */
export function mappedDomainReads(mapping: Mapping): DomainReads {
  const text = lookUpText(mapping)
  const { tenants, domains } = mapping
  const own = domains && {
    table: domains,
    texts: domainTexts(tenants, domains),
  }
  return {
    async lookUp(db, { slugs, hosts }) {
      const values = own === undefined ? [slugs] : [slugs, hosts]
      const { rows } = await db.query<FoundRow>(text, values)
      return {
        tenants: rows.map((row) => tenantOfRow(mapping, row)),
        domains: rows.flatMap(({ slug, domains: found }) => {
          const led: readonly Omit<Domain, 'tenant'>[] = JSON.parse(found)
          return led.map((domain) => ({ tenant: slug, ...domain }))
        }),
      }
    },

    async domainsOf(db, slug) {
      if (own === undefined) return []
      const { table, texts } = own
      const { rows } = await db.query<DomainRow>(
        `select * from (
           select ${texts.columns} from ${table.quoted} d
           join ${tenants.quoted} t on t.${tenants.column('id')} = d.${table.column('tenant')}
           where t.${tenants.column('slug')} = $1) d
         order by d.primary desc nulls last, d.host collate "C", d.path collate "C"`,
        [slug],
      )
      return rows.map((row) => domainOf(row))
    },

    async listDomains(db) {
      if (own === undefined) return []
      const { table, texts } = own
      const { rows } = await db.query<ListedDomainRow>(
        `select * from (
           select ${texts.columns} from ${table.quoted} d
           left join ${tenants.quoted} t on t.${tenants.column('id')} = d.${table.column('tenant')}) d
         order by d.host collate "C", d.path collate "C", d.tenant collate "C"`,
      )
      return rows.map(listedDomainOf)
    },
  }
}

function lookUpText(mapping: Mapping): string {
  const { tenants, domains } = mapping
  const [id, slug] = [tenants.column('id'), tenants.column('slug')]
  const columns = tenantColumns(mapping)
  if (domains === undefined) {
    return `select ${columns}, '[]'::text as domains from ${tenants.quoted} t where t.${slug} = any ($1)`
  }
  const { path, isPrimary, isVerified } = domainTexts(tenants, domains)
  const [owner, host] = [domains.column('tenant'), domains.column('host')]
  return `select ${columns}, coalesce((
      select jsonb_agg(jsonb_build_object('host', d.${host}::text, 'path', ${path},
        'primary', ${isPrimary}, 'verified', ${isVerified}))
      from ${domains.quoted} d where d.${owner} = t.${id}
        and (${isPrimary} or d.${host} = any ($2) and ${isVerified})), '[]')::text as domains
    from ${tenants.quoted} t where t.${id} in (
      select t.${id} from ${tenants.quoted} t where t.${slug} = any ($1)
      union select d.${owner} from ${domains.quoted} d where d.${host} = any ($2) and ${isVerified})`
}
