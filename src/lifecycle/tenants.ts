import { parseSlug } from '../names/slug.js'
import type { TenantFilter } from '../registry/registry.js'
import type { Tenant, TenantStatus } from '../registry/tenant.js'
import { type CreateTenant, type LifecycleParts, createTenant } from './create.js'
import { tenantNotFound } from './not-found.js'
import { TenantDomains } from './tenant-domains.js'

/** The tenants of a service: their registry and their life; `router.tenants`. */
export class Tenants {
  readonly #parts: LifecycleParts
  /** The host names that lead to tenants. */
  readonly domains: TenantDomains

  /** @internal Made by the router. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts
    this.domains = new TenantDomains(parts)
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
    this.#parts.lookUps.forgetTenant(created.slug)
    return created
  }

  /** The tenant with a slug, of any status, or `undefined`. Answers from memory for 5 seconds. */
  find(slug: string): Promise<Tenant | undefined> {
    const { db, lookUps } = this.#parts
    return db.attend(() => lookUps.find(slug))
  }

  /**
   * The tenant with a slug, of any status. Answers from memory for 5 seconds.
   *
   * @throws `TENANT_NOT_FOUND`
   */
  async get(slug: string): Promise<Tenant> {
    return (await this.find(slug)) ?? tenantNotFound(slug)
  }

  /** @internal What is remembered of a tenant at this moment, without asking the registry. */
  peek(slug: string): Tenant | undefined {
    return this.#parts.lookUps.peek(slug)
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
    const { registry, db, lookUps } = this.#parts
    const tenant = (await registry.setStatus(db, slug, status)) ?? tenantNotFound(slug)
    lookUps.forgetTenant(slug)
    return tenant
  }
}
