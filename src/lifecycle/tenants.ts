import type { TenantAction } from '../diagnostics/channels.js'
import type { RunReport } from '../migration/run/report.js'
import type { TenantChanges, TenantFilter } from '../registry/registry.js'
import { type Tenant, type TenantMetadata, typed } from '../registry/tenant.js'
import type { AuditReport } from './audit/finding.js'
import type { CloneOptions } from './clone/clone.js'
import type { CreateManyOptions } from './create/create-many.js'
import type { CreateTenant, LifecycleParts } from './create/create.js'
import { tenantNotFound } from './not-found.js'
import * as work from './on-demand.js'
import type { PurgeOptions } from './purge/purge.js'
import type { RenameOptions, RenameTenant } from './rename/rename.js'
import { TenantSpares } from './spare/tenant-spares.js'
import { TenantArchives } from './tenant-archives.js'
import { TenantDomains } from './domain/tenant-domains.js'
import { type Change, toldChange } from './told-change.js'

/**
 * The tenants of a service: their registry and their life; `router.tenants`. `Metadata` is what is
 * read; `Input` is what is given, where the router's schema makes more of it.
 */
export class Tenants<
  Metadata extends object = TenantMetadata,
  Input = Metadata,
> extends TenantArchives<Metadata> {
  readonly #parts: LifecycleParts
  /** The host names that lead to tenants. */
  readonly domains: TenantDomains
  /** Schemas that are kept ready for new tenants. */
  readonly spares: TenantSpares

  /** @internal Made by the router. */
  constructor(parts: LifecycleParts) {
    super(parts)
    this.#parts = parts
    this.domains = new TenantDomains(parts)
    this.spares = new TenantSpares(parts)
  }

  /**
   * Creates a tenant in one transaction: its row, domains, schema and all migrations. Where another
   * tool migrates, its row comes last, and the schema is dropped again if something fails. With the
   * option `spares` a schema that has had all migrations is renamed instead, where one is ready.
   *
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `METADATA_INVALID`, `TENANT_EXISTS`, `DOMAIN_TAKEN`,
   * `SCHEMA_EXISTS`, `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`, `HOOK_FAILED`; nothing is made.
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const signUp = (router: SchemaRouter) =>
   *   router.tenants.create({ slug: 'acme', name: 'Acme Lending', domains: ['acme.example.com'] })
   */
  async create(tenant: CreateTenant<Input>): Promise<Tenant<Metadata>> {
    return this.#change('create', tenant.slug, (parts) => work.createTenant(parts, tenant))
  }

  /**
   * Creates many tenants, a few at a time, each as {@link Tenants.create} does. The whole list is
   * checked first: what is misspelt, or has a name twice, is refused before anything is made.
   *
   * @returns what became of each tenant, in the order of the list: `done`, or `skipped` after an abort.
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `METADATA_INVALID`, `DOMAIN_TAKEN`,
   * `MIGRATION_SOURCE_INVALID`; then nothing was made
   * @throws `RUN_FAILED` with the report, when a tenant could not be created; nothing of that one was
   * made, and those that are `done` stay
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const signUpAll = (router: SchemaRouter, slugs: readonly string[]) =>
   *   router.tenants.createMany(slugs.map((slug) => ({ slug })), { concurrency: 4 })
   */
  createMany(
    tenants: readonly CreateTenant<Input>[],
    options: CreateManyOptions = {},
  ): Promise<RunReport> {
    return work.createTenants(this.#parts, tenants, options)
  }

  /** The tenant with a slug, of any status, or `undefined`. Answers from memory for 5 seconds. */
  async find(slug: string): Promise<Tenant<Metadata> | undefined> {
    const { db, lookUps } = this.#parts
    const found = await db.attend(() => lookUps.find(slug))
    return found && typed(found)
  }

  /**
   * The tenant with a slug, of any status. Answers from memory for 5 seconds.
   *
   * @throws `TENANT_NOT_FOUND`
   */
  async get(slug: string): Promise<Tenant<Metadata>> {
    return (await this.find(slug)) ?? tenantNotFound(slug)
  }

  /** @internal What is remembered of a tenant at this moment, without asking the registry. */
  peek(slug: string): Tenant | undefined {
    return this.#parts.lookUps.peek(slug)
  }

  /** Tenants in the order of their schemas' names; without a filter all but the deleted ones. */
  async list(filter?: TenantFilter): Promise<readonly Tenant<Metadata>[]> {
    return (await this.#parts.registry.list(this.#parts.db, filter)).map((each) => typed(each))
  }

  /**
   * Changes a tenant's name for people, its metadata, or both; what is left out stays.
   *
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `METADATA_INVALID`, `TENANT_NOT_FOUND`
   */
  async update(slug: string, changes: TenantChanges<Input>): Promise<Tenant<Metadata>> {
    return this.#change('update', slug, (parts) => work.updateTenant(parts, slug, changes))
  }

  /**
   * Stops serving a tenant: its scopes are refused with `TENANT_SUSPENDED`. Its data stay.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, and `TENANT_STATUS` for a tenant that is neither
   * active nor suspended
   */
  async suspend(slug: string): Promise<Tenant<Metadata>> {
    const change = { kind: 'suspend', to: 'suspended' } as const
    return this.#change('suspend', slug, (parts) => work.changeStatus(parts, slug, change))
  }

  /**
   * Serves a suspended tenant again, or one whose schema was made elsewhere for the first time.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `TENANT_STATUS` for a deleted tenant,
   * `SCHEMA_MISSING` for one that is provisioning
   */
  async activate(slug: string): Promise<Tenant<Metadata>> {
    return this.#change('activate', slug, (parts) => work.activateTenant(parts, slug))
  }

  /**
   * Gives a tenant a new slug, its schema a new name, or both, in one transaction.
   *
   * To rename the schema, it waits for transactions of running scopes and for session scopes; new
   * ones wait meanwhile and then fail with `SCHEMA_MISSING` where they still have the former name. Needs two clients of the
   * pool. `SET search_path` clauses of the schema's functions are corrected; other texts with the
   * schema's name in them are no reference for PostgreSQL, so they are a reason to refuse.
   *
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_NOT_FOUND`, `TENANT_EXISTS`, `SCHEMA_EXISTS`,
   * `SCHEMA_MISSING`, `TENANT_BUSY`, `TENANT_STATUS`, `POOL_STARVED`, and `RENAME_UNSAFE` with the
   * places in `candidates`; then nothing was changed
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const rebrand = (router: SchemaRouter) =>
   *   router.tenants.rename('acme', { slug: 'apex', schema: 'tenant_apex' })
   * @see https://www.postgresql.org/docs/current/sql-alterschema.html
   */
  async rename(
    slug: string,
    names: RenameTenant,
    options: RenameOptions = {},
  ): Promise<Tenant<Metadata>> {
    const given = { names, options }
    return this.#change('rename', slug, (parts) => work.renameTenant(parts, slug, given))
  }

  /**
   * Makes a tenant like another one: the same migrations, and the rows of all tables or of some, in
   * one transaction. Structure and rows are compared before the commit.
   *
   * The rows are those of one moment; the source is served meanwhile, but not migrated.
   *
   * @param from Slug of the tenant that is copied.
   * @param tenant The new tenant; name, domains and metadata are its own.
   * @throws what {@link Tenants.create} throws, `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_BUSY`,
   * `SCHEMA_MISSING`, and `CLONE_DIFFERS`; then nothing was made
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const sandbox = (router: SchemaRouter) =>
   *   router.tenants.clone('acme', { slug: 'acme-test' }, { data: ['rates', 'products'] })
   */
  async clone(
    from: string,
    tenant: CreateTenant<Input>,
    options: CloneOptions = {},
  ): Promise<Tenant<Metadata>> {
    const names = { from, tenant }
    return this.#change('clone', tenant.slug, (parts) => work.cloneTenant(parts, names, options))
  }

  /**
   * Stops serving a tenant for good: it leaves lists and runs. Its row, slug, domains and schema stay
   * until {@link Tenants.purge}.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, and `HOOK_FAILED`; if the hook runs after the
   * commit, the tenant is deleted nevertheless
   */
  async delete(slug: string): Promise<Tenant<Metadata>> {
    return this.#change('delete', slug, (parts) => work.deleteTenant(parts, slug))
  }

  /**
   * Serves a deleted tenant again, with the migrations that it has missed, in one transaction; its
   * metadata are validated again.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `TENANT_BUSY`, `SCHEMA_MISSING`, `MIGRATION_FAILED`,
   * `METADATA_INVALID`, `HOOK_FAILED`, and `TENANT_STATUS` for a tenant that is not deleted, or whose
   * purge has begun
   */
  async undelete(slug: string): Promise<Tenant<Metadata>> {
    return this.#change('undelete', slug, (parts) => work.undeleteTenant(parts, slug))
  }

  /**
   * Drops the schema of a deleted tenant, and forgets the tenant and its domains.
   *
   * More than the server's `max_locks_per_transaction` allows is dropped in several transactions. If
   * the process ends in between, the tenant can only be purged again, which finishes it.
   *
   * @returns the tenant as it was.
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `TENANT_STATUS` for a tenant that is not deleted,
   * `OPTIONS_INVALID` when `confirm` is not its slug, `SCHEMA_IN_USE` when other schemas need it,
   * `TENANT_BUSY`, and `HOOK_FAILED`; if the hook runs after the commit, the tenant is purged
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const forget = (router: SchemaRouter) => router.tenants.purge('acme', { confirm: 'acme' })
   */
  async purge(slug: string, options: PurgeOptions): Promise<Tenant<Metadata>> {
    return this.#change('purge', slug, (parts) => work.purgeTenant(parts, slug, options))
  }

  /**
   * Says what of registry and database does not fit together, and how it is repaired. Touches nothing,
   * and needs the same few queries for any number of tenants.
   *
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function report(router: SchemaRouter): Promise<void> {
   *   const { findings } = await router.tenants.audit()
   *   for (const { kind, message, repair } of findings) console.log(kind, message, repair)
   * }
   */
  audit(): Promise<AuditReport> {
    return work.auditTenants(this.#parts)
  }

  #change(action: TenantAction, slug: string, change: Change): Promise<Tenant<Metadata>> {
    return toldChange(this.#parts, { action, slug }, change)
  }
}
