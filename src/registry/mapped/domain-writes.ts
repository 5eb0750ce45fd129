import type { DomainName } from '../../names/domain-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { HOST_PAYLOAD, REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { NewDomain, TenantRegistry } from '../registry.js'
import { type DomainRow, domainOf } from '../table/table-row.js'
import { domainTaken, rethrow } from '../taken.js'
import { type DomainTexts, domainTexts } from './domain-texts.js'
import type { MappedTable, Mapping } from './mapping.js'
import { Parameters } from './parameters.js'
import { noColumn } from './unsupported.js'

type DomainWrites = Pick<
  TenantRegistry,
  'addDomain' | 'removeDomain' | 'setPrimaryDomain' | 'verifyDomain'
>

interface Parts {
  readonly tenants: MappedTable
  readonly domains: MappedTable
  readonly texts: DomainTexts
}

/** Writes to the service's domains, or their refusal where there are none. */
export function mappedDomainWrites({ tenants, domains }: Mapping): DomainWrites {
  if (domains === undefined) return NO_DOMAINS
  const parts = { tenants, domains, texts: domainTexts(tenants, domains) }
  return { addDomain: addOf(parts), verifyDomain: verifyOf(parts), ...changesOf(parts) }
}

const refuse = async (): Promise<never> => {
  throw noColumn('domains', 'domains')
}
const NO_DOMAINS: DomainWrites = {
  addDomain: refuse,
  removeDomain: refuse,
  setPrimaryDomain: refuse,
  verifyDomain: refuse,
}

function addOf(parts: Parts): DomainWrites['addDomain'] {
  const { tenants, domains, texts } = parts
  return async (db, slug, domain) => {
    requirePlace(domains, domain)
    const parameters = new Parameters(slug, domain.host)
    const row = valuesFor(domains, domain, parameters)
    const text = `with owner as (
        select t.${tenants.column('id')} as id, t.${tenants.column('slug')}::text as slug
        from ${tenants.quoted} t where t.${tenants.column('slug')} = $1),
      changed as (
        insert into ${domains.quoted} (${[domains.column('tenant'), ...row.keys()].join(', ')})
        select owner.id, ${[...row.values()].join(', ')} from owner
        where not exists (select from ${domains.quoted} d
          where ${texts.named(parameters, domain)} and ${texts.isVerified})
        returning *),
      told as (${announced(parts)})
      select owner.slug as tenant, told.host, told.path, told.primary, told.verified,
        ${yesIf('told.host is null')} as taken
      from owner left join told on true`
    const { rows } = await db
      .query<DomainRow & { taken: string | null }>(text, parameters.values)
      .catch((error: unknown) => rethrow(error, () => taken(domain)))
    const [added] = rows
    if (isYes(added?.taken)) throw taken(domain)
    return domainOf(added)
  }
}

/** The values of a new row as SQL, by column. */
function valuesFor(
  domains: MappedTable,
  { path, primary, verified }: NewDomain,
  parameters: Parameters,
): ReadonlyMap<string, string> {
  const row = new Map<string, string>()
  const put = (name: string, text: () => string): void => {
    const column = domains.column(name)
    if (column !== undefined) row.set(column, text())
  }
  put('host', () => '$2')
  put('path', () => parameters.add(path))
  put('primary', () => `${parameters.add(primary)}::boolean`)
  put('verified', () => `${parameters.add(verified)}::boolean`)
  put('verifiedAt', () => (verified ? 'now()' : 'null'))
  return row
}

function requirePlace({ columns }: MappedTable, { path, verified }: NewDomain): void {
  if (path !== '' && !columns.has('path')) {
    throw noColumn('domains.columns.path', 'the path of a domain')
  }
  if (!verified && !columns.has('verified') && !columns.has('verifiedAt')) {
    throw noColumn('domains.columns.verified', 'a domain that is not verified')
  }
}

function verifyOf(parts: Parts): DomainWrites['verifyDomain'] {
  const { domains, texts } = parts
  const [verified, verifiedAt] = [domains.column('verified'), domains.column('verifiedAt')]
  const set =
    verifiedAt === undefined
      ? // Where every domain is verified, nothing changes.
        `${verified ?? domains.column('host')} = ${verified ? 'true' : `d.${domains.column('host')}`}`
      : `${verifiedAt} = coalesce(d.${verifiedAt}, now())`
  return async (db, slug, domain) => {
    const parameters = new Parameters(slug)
    const text = `with changed as (
        update ${domains.quoted} d set ${set}
        where ${texts.owned} and ${texts.named(parameters, domain)}
          and (${texts.isVerified} or not exists (select from ${domains.quoted} other
            where ${texts.isSameVerified('other', 'd')}))
        returning d.*)
      ${announced(parts)}`
    const [row] = (
      await db
        .query<DomainRow>(text, parameters.values)
        .catch((error: unknown) => rethrow(error, () => taken(domain)))
    ).rows
    if (row !== undefined) return domainOf(row)
    const claim = new Parameters(slug)
    const { rows } = await db.query(
      `select from ${domains.quoted} d where ${texts.owned} and ${texts.named(claim, domain)}`,
      claim.values,
    )
    if (rows.length > 0) throw taken(domain)
    return undefined
  }
}

function changesOf(parts: Parts): Pick<DomainWrites, 'removeDomain' | 'setPrimaryDomain'> {
  const { domains, texts } = parts
  const primary = domains.column('primary')
  return {
    async removeDomain(db, slug, domain) {
      const parameters = new Parameters(slug)
      const where = `${texts.owned} and ${texts.named(parameters, domain)}`
      const text = `with changed as (delete from ${domains.quoted} d where ${where} returning d.*)
        ${announced(parts)}`
      return (await db.query(text, parameters.values)).rows.length > 0
    },

    async setPrimaryDomain(db, slug, domain) {
      if (primary === undefined) throw noColumn('domains.columns.primary', 'a primary domain')
      const parameters = new Parameters(slug)
      const named = texts.named(parameters, domain)
      // Counting the former one has it changed first: no tenant may have two at any moment.
      const text = `with former as (
          update ${domains.quoted} d set ${primary} = false
          where ${texts.owned} and d.${primary} and not (${named})
            and exists (select from ${domains.quoted} d where ${texts.owned} and ${named})
          returning 1),
        changed as (
          update ${domains.quoted} d set ${primary} = true
          where ${texts.owned} and ${named} and (select count(*) from former) >= 0 returning d.*)
        ${announced(parts)}`
      return (await db.query(text, parameters.values)).rows.length > 0
    },
  }
}

/** The tenant's too: which of its domains is the primary one is remembered with the tenant. */
function announced({ tenants, domains, texts }: Parts): string {
  const slug = `t.${tenants.column('slug')}::text`
  const notify = `pg_notify('${REGISTRY_CHANGE_CHANNEL}',`
  return `select ${texts.columns},
      ${notify} ${slug}), ${notify} '${HOST_PAYLOAD}' || d.${domains.column('host')}::text)
    from changed d join ${tenants.quoted} t on t.${tenants.column('id')} = d.${domains.column('tenant')}`
}

function taken({ host, path }: DomainName): ReturnType<typeof domainTaken> {
  return domainTaken(host + path)
}
