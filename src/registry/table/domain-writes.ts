import type { DomainName } from '../../names/domain-name.js'
import type { SchemaName } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { HOST_PAYLOAD, REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { TenantRegistry } from '../registry.js'
import { domainTaken, rethrow } from '../taken.js'
import { registryTables } from './table-names.js'
import { DOMAIN_COLUMNS, type DomainRow, domainOf, rowsIfInstalled } from './table-row.js'

/** What of a registry writes domains. */
export type DomainWrites = Pick<
  TenantRegistry,
  'addDomain' | 'removeDomain' | 'setPrimaryDomain' | 'verifyDomain'
>

/** Writes to the registry's own table; each announces itself in its own statement. */
export function tableDomainWrites(shared: SchemaName): DomainWrites {
  const texts = textsFor(shared)
  return { ...domainClaims(shared, texts), ...domainChanges(shared, texts) }
}

interface Texts {
  readonly announced: string
  readonly owned: string
  readonly named: string
}

function textsFor(shared: SchemaName): Texts {
  const { tenants } = registryTables(shared)
  const notify = `pg_notify('${REGISTRY_CHANGE_CHANNEL}',`
  const owned = `d.tenant_id = (select t.id from ${tenants} t where t.slug = $1)`
  return {
    // The tenant's too: which of its domains is the primary one is remembered with the tenant.
    announced: `select ${DOMAIN_COLUMNS}, ${notify} t.slug), ${notify} '${HOST_PAYLOAD}' || d.host)
      from changed d join ${tenants} t on t.id = d.tenant_id`,
    owned,
    named: `${owned} and d.host = $2 and d.path = $3`,
  }
}

type Claims = Pick<DomainWrites, 'addDomain' | 'verifyDomain'>

function domainClaims(shared: SchemaName, { announced, named }: Texts): Claims {
  const { tenants, domains } = registryTables(shared)
  return {
    async addDomain(db, slug, { host, path, primary, verified }) {
      const { rows } = await db
        .query<DomainRow & { taken: string | null }>(
          `with owner as (select id, slug from ${tenants} where slug = $1),
             changed as (
               insert into ${domains} (host, path, tenant_id, is_primary, verified_at)
               select $2, $3, owner.id, $4, case when $5 then now() end from owner
               where not exists (select from ${domains} d
                 where d.host = $2 and d.path = $3 and d.verified_at is not null)
               returning *),
             told as (${announced})
           select owner.slug as tenant, told.host, told.path, told.primary, told.verified,
             ${yesIf('told.host is null')} as taken
           from owner left join told on true`,
          [slug, host, path, primary, verified],
        )
        .catch((error: unknown) => rethrow(error, () => domainTaken(host + path)))
      const [row] = rows
      if (isYes(row?.taken)) throw domainTaken(host + path)
      return domainOf(row)
    },

    async verifyDomain(db, slug, domain) {
      const text = `with changed as (
          update ${domains} d set verified_at = coalesce(d.verified_at, now())
          where ${named} returning d.*)
        ${announced}`
      const rows = await rowsIfInstalled<DomainRow>(db, text, valuesOf(slug, domain)).catch(
        (error: unknown) => rethrow(error, () => domainTaken(domain.host + domain.path)),
      )
      return domainOf(rows[0])
    },
  }
}

function domainChanges(
  shared: SchemaName,
  { announced, owned, named }: Texts,
): Omit<DomainWrites, keyof Claims> {
  const { domains } = registryTables(shared)
  return {
    async removeDomain(db, slug, domain) {
      const text = `with changed as (delete from ${domains} d where ${named} returning d.*) ${announced}`
      return (await rowsIfInstalled(db, text, valuesOf(slug, domain))).length > 0
    },

    async setPrimaryDomain(db, slug, domain) {
      // Counting the former one has it changed first: no tenant may have two at any moment.
      const text = `with former as (
          update ${domains} d set is_primary = false
          where ${owned} and d.is_primary and (d.host, d.path) <> ($2, $3)
            and exists (select from ${domains} d where ${named}) returning d.*),
        changed as (
          update ${domains} d set is_primary = true
          where ${named} and (select count(*) from former) >= 0 returning d.*)
        ${announced}`
      return (await rowsIfInstalled(db, text, valuesOf(slug, domain))).length > 0
    },
  }
}

function valuesOf(slug: string, { host, path }: DomainName): readonly string[] {
  return [slug, host, path]
}
