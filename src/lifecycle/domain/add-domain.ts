import { TenantryError } from '../../errors.js'
import type { DomainName } from '../../names/domain-name.js'
import { type DomainRules, isBelowBase, slugOfHost } from '../../names/domain-rules.js'
import type { Slug } from '../../names/slug.js'
import type { Queryable } from '../../postgres/queryable.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { Domain } from '../../registry/tenant.js'

/** What domains are added with. */
export interface DomainParts {
  readonly registry: TenantRegistry
  readonly domainRules: DomainRules & { readonly requireVerified: boolean }
}

/** A domain for a tenant. */
export interface AddedDomain {
  readonly slug: Slug
  readonly domain: DomainName
  readonly primary: boolean
  /** `undefined` leaves it to the rules: what is the service's own needs no confirmation. */
  readonly verified?: boolean | undefined
}

/**
 * Adds a domain to a tenant's.
 *
 * @throws `DOMAIN_TAKEN`, also for the sub-domain that another tenant has by its slug
 */
export async function addDomain(
  db: Queryable,
  { registry, domainRules }: DomainParts,
  { slug, domain, primary, verified }: AddedDomain,
): Promise<Domain | undefined> {
  const owner = slugOfHost(domain.host, domainRules)
  if (owner !== undefined && owner !== slug && (await registry.findBySlug(db, owner))) {
    throw subDomainTaken(domain, owner)
  }
  const atOnce = !domainRules.requireVerified || isBelowBase(domain.host, domainRules)
  return registry.addDomain(db, slug, { ...domain, primary, verified: verified ?? atOnce })
}

function subDomainTaken({ host, path }: DomainName, owner: Slug): TenantryError {
  const domain = host + path
  return new TenantryError(
    'DOMAIN_TAKEN',
    `The domain "${domain}" is that of the tenant "${owner}" by its slug. Choose another one.`,
    { domain, tenant: owner },
  )
}
