import { TenantryError } from '../errors.js'
import { isSlug, parseSlug } from '../names/slug.js'
import { lockKey, lockTransaction } from '../postgres/advisory-lock.js'
import { type LookupCache, lookupCache } from '../registry/lookup-cache.js'
import type { TenantFilter } from '../registry/registry.js'
import type { Domain, Tenant, TenantStatus } from '../registry/tenant.js'
import { type CreateTenant, type LifecycleParts, createTenant } from './create.js'
import { parseFreeDomain } from './free-domain.js'

const LOOKUPS = { maxEntries: 10_000, ttlMs: 5_000 }

/** The tenants of a service: their registry and their life; `router.tenants`. */
export class Tenants {
  readonly #parts: LifecycleParts
  readonly #bySlug: LookupCache<Tenant>
  /** The host names that lead to tenants. */
  readonly domains: TenantDomains

  /** @internal Made by the router. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts
    this.domains = new TenantDomains(parts)
    this.#bySlug = lookupCache(LOOKUPS, async (slug) =>
      isSlug(slug) ? parts.registry.findBySlug(parts.db, slug) : undefined,
    )
  }

  /**
   * Creates a tenant in one transaction: its row, domains, schema and all migrations. Where another
   * tool migrates, its row comes last, and the schema is dropped again if something fails.
   *
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_EXISTS`, `DOMAIN_TAKEN`, `SCHEMA_EXISTS`,
   * `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`; then nothing was made.
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const signUp = (router: SchemaRouter) =>
   *   router.tenants.create({ slug: 'acme', name: 'Acme Lending', domains: ['acme.example.com'] })
   */
  async create(tenant: CreateTenant): Promise<Tenant> {
    const created = await createTenant(this.#parts, tenant)
    this.#bySlug.forget(created.slug)
    return created
  }

  /** The tenant with a slug, of any status, or `undefined`. Answers from memory for 5 seconds. */
  find(slug: string): Promise<Tenant | undefined> {
    return this.#parts.db.attend(() => this.#bySlug.get(slug))
  }

  /**
   * The tenant with a slug, of any status. Answers from memory for 5 seconds.
   *
   * @throws `TENANT_NOT_FOUND`
   */
  async get(slug: string): Promise<Tenant> {
    return (await this.find(slug)) ?? notFound(slug)
  }

  /** @internal What is remembered of a tenant at this moment, without asking the registry. */
  peek(slug: string): Tenant | undefined {
    return this.#bySlug.peek(slug)
  }

  /** Tenants in the order of their schemas' names; without a filter all but the deleted ones. */
  list(filter?: TenantFilter): Promise<readonly Tenant[]> {
    return this.#parts.registry.list(this.#parts.db, filter)
  }

  /**
   * Stops serving a tenant: its scopes are refused with `TENANT_SUSPENDED`. Its data stay.
   *
   * @throws `TENANT_NOT_FOUND`
   */
  suspend(slug: string): Promise<Tenant> {
    return this.#setStatus(slug, 'suspended')
  }

  /**
   * Serves a suspended tenant again.
   *
   * @throws `TENANT_NOT_FOUND`
   */
  activate(slug: string): Promise<Tenant> {
    return this.#setStatus(slug, 'active')
  }

  async #setStatus(input: string, status: TenantStatus): Promise<Tenant> {
    const slug = parseSlug(input)
    const { registry, db } = this.#parts
    const tenant = (await registry.setStatus(db, slug, status)) ?? notFound(slug)
    this.#bySlug.forget(slug)
    return tenant
  }
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
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `DOMAIN_TAKEN`
   */
  async add(tenant: string, domain: string): Promise<Domain> {
    const { registry, db, staticDomains } = this.#parts
    const slug = parseSlug(tenant)
    const name = parseFreeDomain(domain, staticDomains)
    return db.transaction(async (client) => {
      // Two first domains at once would both be the primary one.
      await lockTransaction(client, lockKey('domains', slug))
      if ((await registry.findBySlug(client, slug)) === undefined) notFound(slug)
      const others = await registry.domainsOf(client, slug)
      return registry.addDomain(client, slug, name, others.length === 0)
    })
  }

  /** The domains of a tenant, the primary one first. */
  async list(tenant: string): Promise<readonly Domain[]> {
    const { registry, db } = this.#parts
    return registry.domainsOf(db, parseSlug(tenant))
  }
}

/** The error for a slug that nobody has. */
function notFound(slug: string): never {
  throw new TenantryError(
    'TENANT_NOT_FOUND',
    `No tenant has the slug ${JSON.stringify(slug)}. Create it with router.tenants.create(), ` +
      'or correct the slug.',
    { tenant: slug },
  )
}
