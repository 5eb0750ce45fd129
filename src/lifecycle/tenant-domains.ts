import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { type DomainName, parseDomain } from '../names/domain-name.js'
import { keptDomain } from '../names/domain-rules.js'
import { type Slug, parseSlug } from '../names/slug.js'
import { lockKey, lockTransaction } from '../postgres/advisory-lock.js'
import type { Domain } from '../registry/tenant.js'
import { addDomain } from './add-domain.js'
import type { LifecycleParts } from './create.js'
import { parseFreeDomain } from './free-domain.js'
import { tenantNotFound } from './not-found.js'

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
    const { registry } = this.#parts
    parseFreeDomain(domain, this.#parts)
    return this.#change(tenant, domain, async (client, slug, name) => {
      const others = await registry.domainsOf(client, slug)
      const primary = others.length === 0
      return addDomain(client, this.#parts, { slug, domain: name, primary, ...options })
    })
  }

  /**
   * Takes a domain from a tenant. If it was the primary one, the first of the others becomes that.
   *
   * @returns the domain as it was.
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`
   */
  remove(tenant: string, domain: string): Promise<Domain> {
    const { registry } = this.#parts
    return this.#change(tenant, domain, async (client, slug, name) => {
      const former = await this.#find(client, slug, name)
      await registry.removeDomain(client, slug, name)
      const [next] = await registry.domainsOf(client, slug)
      if (former?.primary && next !== undefined) {
        await registry.setPrimaryDomain(client, slug, parseDomain(next.host + next.path))
      }
      return former
    })
  }

  /**
   * Makes one of a tenant's domains its primary one, to which its other domains can redirect.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`
   */
  setPrimary(tenant: string, domain: string): Promise<Domain> {
    return this.#change(tenant, domain, async (client, slug, name) => {
      await this.#parts.registry.setPrimaryDomain(client, slug, name)
      return this.#find(client, slug, name)
    })
  }

  /**
   * Confirms that a domain is the tenant's, for example after a look at a DNS record: from now on it
   * leads there. Nothing happens to one that is confirmed already.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_NOT_FOUND`, and `DOMAIN_TAKEN` when it was
   * confirmed for another tenant
   */
  verify(tenant: string, domain: string): Promise<Domain> {
    return this.#change(tenant, domain, (client, slug, name) =>
      this.#parts.registry.verifyDomain(client, slug, name),
    )
  }

  /** The domains of a tenant, the primary one first. */
  async list(tenant: string): Promise<readonly Domain[]> {
    const { registry, db } = this.#parts
    return registry.domainsOf(db, parseSlug(tenant))
  }

  /** The domains of a tenant change one after the other: two at once could both be the primary. */
  async #change(tenant: string, domain: string, change: DomainChange): Promise<Domain> {
    const { registry, db, lookUps, domainRules } = this.#parts
    const slug = parseSlug(tenant)
    const name = keptDomain(domain, domainRules)
    const changed = await db.transaction(async (client) => {
      await lockTransaction(client, lockKey('domains', slug))
      if ((await registry.findBySlug(client, slug)) === undefined) tenantNotFound(slug)
      return change(client, slug, name)
    })
    lookUps.forgetTenant(slug)
    lookUps.forgetHost(name.host)
    return changed ?? domainNotFound(slug, name)
  }

  async #find(
    client: PoolClient,
    slug: Slug,
    { host, path }: DomainName,
  ): Promise<Domain | undefined> {
    const domains = await this.#parts.registry.domainsOf(client, slug)
    return domains.find((each) => each.host === host && each.path === path)
  }
}

type DomainChange = (
  client: PoolClient,
  slug: Slug,
  name: DomainName,
) => Promise<Domain | undefined>

function domainNotFound(slug: Slug, { host, path }: DomainName): never {
  const domain = host + path
  throw new TenantryError(
    'DOMAIN_NOT_FOUND',
    `Tenant "${slug}" does not have the domain "${domain}". ` +
      'Look at router.tenants.domains.list(), or add it there first.',
    { tenant: slug, domain },
  )
}
