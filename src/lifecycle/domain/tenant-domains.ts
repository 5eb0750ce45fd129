import { parseSlug } from '../../names/slug.js'
import type { Domain } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create/create.js'

/** How a domain is added. */
export interface AddDomainOptions {
  /**
   * Whether the domain leads to the tenant at once. One that does not is a claim, which other
   * tenants may make as well, until it is confirmed with `verify`.
   *
   * @defaultValue `true`, unless the option `domains.requireVerified` is set
   */
  readonly verified?: boolean
}

/** The host names that lead to tenants; `router.tenants.domains`. */
export class TenantDomains {
  readonly #parts: LifecycleParts

  /** @internal Made by the router. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  /**
   * Leads a host name, or a path below one, to a tenant. A tenant's first domain is its primary.
   *
   * @param tenant The slug.
   * @param domain For example `acme.example.com` or `example.com/acme`.
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_TAKEN`
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const bring = (router: SchemaRouter, domain: string) =>
   *   router.tenants.domains.add('acme', domain, { verified: false })
   */
  async add(tenant: string, domain: string, options: AddDomainOptions = {}): Promise<Domain> {
    const { addTenantDomain } = await import('./change-domains.js')
    return addTenantDomain(this.#parts, { tenant, domain }, options)
  }

  /**
   * Takes a domain from a tenant. If it was the primary one, the first of the others becomes that.
   *
   * @returns the domain as it was.
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`
   */
  async remove(tenant: string, domain: string): Promise<Domain> {
    const { removeTenantDomain } = await import('./change-domains.js')
    return removeTenantDomain(this.#parts, { tenant, domain })
  }

  /**
   * Makes one of a tenant's domains its primary one, to which its other domains can redirect.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`
   */
  async setPrimary(tenant: string, domain: string): Promise<Domain> {
    const { makePrimary } = await import('./change-domains.js')
    return makePrimary(this.#parts, { tenant, domain })
  }

  /**
   * Confirms that a domain is the tenant's, for example after a look at a DNS record: from now on it
   * leads there. Nothing happens to one that is confirmed already.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`, and `DOMAIN_TAKEN` when it was
   * confirmed for another tenant
   */
  async verify(tenant: string, domain: string): Promise<Domain> {
    const { verifyTenantDomain } = await import('./change-domains.js')
    return verifyTenantDomain(this.#parts, { tenant, domain })
  }

  /** The domains of a tenant, the primary one first. */
  async list(tenant: string): Promise<readonly Domain[]> {
    const { registry, db } = this.#parts
    return registry.domainsOf(db, parseSlug(tenant))
  }
}
