import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type DomainName, parseDomain } from '../../names/domain-name.js'
import { keptDomain } from '../../names/domain-rules.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import { lockKey, lockTransaction } from '../../postgres/advisory-lock.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { Domain } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create/create.js'
import { tenantNotFound } from '../not-found.js'
import { addDomain } from './add-domain.js'
import { parseFreeDomain } from './free-domain.js'
import type { AddDomainOptions } from './tenant-domains.js'

/** A domain and its tenant, as the caller has written them. */
interface Named {
  readonly tenant: string
  readonly domain: string
}

/** Leads a domain to a tenant; see {@link TenantDomains.add}. */
export async function addTenantDomain(
  parts: LifecycleParts,
  named: Named,
  options: AddDomainOptions,
): Promise<Domain> {
  parseFreeDomain(named.domain, parts)
  return change(parts, named, async (client, slug, domain) => {
    const others = await parts.registry.domainsOf(client, slug)
    return addDomain(client, parts, { slug, domain, primary: others.length === 0, ...options })
  })
}

/** Takes a domain from a tenant; see {@link TenantDomains.remove}. */
export function removeTenantDomain(parts: LifecycleParts, named: Named): Promise<Domain> {
  const { registry } = parts
  return change(parts, named, async (client, slug, domain) => {
    const former = await find(registry, client, { slug, domain })
    await registry.removeDomain(client, slug, domain)
    const [next] = await registry.domainsOf(client, slug)
    if (former?.primary && next !== undefined) {
      await registry.setPrimaryDomain(client, slug, parseDomain(next.host + next.path))
    }
    return former
  })
}

/** Makes a domain a tenant's primary one; see {@link TenantDomains.setPrimary}. */
export function makePrimary(parts: LifecycleParts, named: Named): Promise<Domain> {
  const { registry } = parts
  return change(parts, named, async (client, slug, domain) => {
    await registry.setPrimaryDomain(client, slug, domain)
    return find(registry, client, { slug, domain })
  })
}

/** Confirms that a domain is the tenant's; see {@link TenantDomains.verify}. */
export function verifyTenantDomain(parts: LifecycleParts, named: Named): Promise<Domain> {
  return change(parts, named, (client, slug, domain) =>
    parts.registry.verifyDomain(client, slug, domain),
  )
}

type DomainChange = (
  client: PoolClient,
  slug: Slug,
  domain: DomainName,
) => Promise<Domain | undefined>

/** The domains of a tenant change one after the other: two at once could both be the primary. */
async function change(
  { registry, db, lookUps, domainRules }: LifecycleParts,
  named: Named,
  work: DomainChange,
): Promise<Domain> {
  const slug = parseSlug(named.tenant)
  const domain = keptDomain(named.domain, domainRules)
  const changed = await db.transaction(async (client) => {
    await lockTransaction(client, lockKey('domains', slug))
    if ((await registry.findBySlug(client, slug)) === undefined) tenantNotFound(slug)
    return work(client, slug, domain)
  })
  lookUps.forgetTenant(slug)
  lookUps.forgetHost(domain.host)
  return changed ?? domainNotFound(slug, domain)
}

async function find(
  registry: TenantRegistry,
  client: PoolClient,
  { slug, domain: { host, path } }: { readonly slug: Slug; readonly domain: DomainName },
): Promise<Domain | undefined> {
  const domains = await registry.domainsOf(client, slug)
  return domains.find((each) => each.host === host && each.path === path)
}

function domainNotFound(slug: Slug, { host, path }: DomainName): never {
  const domain = host + path
  throw new TenantryError(
    'DOMAIN_NOT_FOUND',
    `Tenant "${slug}" does not have the domain "${domain}". ` +
      'Look at router.tenants.domains.list(), or add it there first.',
    { tenant: slug, domain },
  )
}
