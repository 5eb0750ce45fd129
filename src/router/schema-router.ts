import { Migrator } from '../migration/migrator.js'
import type { RunReport } from '../migration/run/report.js'
import { Tenants } from '../lifecycle/tenants.js'
import { LeasePool } from '../postgres/lease-pool.js'
import { type Tenant, type TenantMetadata, type TenantOrSlug, typed } from '../registry/tenant.js'
import { currentScope, noScope, runInScope, tryCurrentScope } from '../scope/context.js'
import { type ScopeOptions, runScope } from '../scope/run-scope.js'
import { TenantPool } from '../scope/tenant-pool.js'
import { untilAborted } from '../support/abort.js'
import { requireFunction } from '../support/options.js'
import type { Selector } from '../selector/selector.js'
import type { EachFunction, EachOptions } from './each.js'
import { fixedSchema } from './fixed-schema.js'
import { type HeardLookUps, heardLookUps } from './heard-look-ups.js'
import { type ResolvedOptions, type SchemaRouterOptions, resolveOptions } from './options.js'
import type { RequestAddress } from './request-address.js'
import type { ScopeFunction } from './scope-function.js'
import { Scopes } from './scopes.js'
import { type Destination, RequestResolver, type Resolution } from './request-resolver.js'

/** How many of the pools that were asked for by tenant are kept; they hold no clients. */
const MAX_POOLS = 1_000

/**
 * Schema-per-tenant PostgreSQL for a service: scopes, the tenant registry and migrations.
 *
 * @example
 * import { SchemaRouter } from 'tenantry'
 *
 * const router = new SchemaRouter({
 *   connectionString: process.env.DATABASE_URL ?? 'postgres://localhost/app',
 *   schemas: { tenants: { prefix: 'tenant_', migrations: 'migrations/tenant' } },
 * })
 * const { rows } = await router.withTenant('acme', (db) => db.query('select * from loans'))
 * console.log(rows)
 * await router.close()
 */
export class SchemaRouter<Metadata extends object = TenantMetadata, Input = Metadata> {
  readonly #options: ResolvedOptions
  readonly #leases: LeasePool
  readonly #heard: HeardLookUps
  readonly #resolver: RequestResolver
  readonly #scopes: Scopes
  /** A pool costs more to make than the query that it is made for. */
  readonly #pools = new Map<string, TenantPool>()
  /** The tenants and their registry. */
  readonly tenants: Tenants<Metadata, Input>
  /** Migrations over many schemas. */
  readonly migrations: Migrator
  /** A `pg.Pool` whose every query answers for the ambient tenant, and fails without one. */
  readonly pool: TenantPool

  /** @throws `OPTIONS_INVALID`, `NAME_INVALID`; nothing is connected yet. */
  constructor(options: SchemaRouterOptions<Metadata, Input>) {
    this.#options = resolveOptions(options)
    this.#leases = new LeasePool(this.#options.pool, this.#options.leaseRules)
    const db = this.#leases.database
    this.#heard = heardLookUps(this.#options, db)
    const { lookUps, spares } = this.#heard
    const { domainRules: rules } = this.#options
    this.#resolver = new RequestResolver({ ...this.#options, lookUps, rules })
    this.#scopes = new Scopes({ ...this.#options, db, lookUps })
    this.tenants = new Tenants({ ...this.#options, db, lookUps, spares })
    this.migrations = new Migrator({ ...this.#options, db, spares: spares.schemas })
    this.pool = new TenantPool(this.#leases, currentScope)
  }

  /** Makes a router from the configuration that the CLI and the service share. */
  static fromConfig<Metadata extends object = TenantMetadata, Input = Metadata>(
    config: SchemaRouterOptions<Metadata, Input>,
  ): SchemaRouter<Metadata, Input> {
    return new SchemaRouter(config)
  }

  /**
   * Lends `fn` a client that answers for the tenant's schema only, and makes the tenant ambient.
   *
   * No client is taken before the first query. After `fn` has settled its client throws
   * `SCOPE_CLOSED`.
   *
   * @param tenant A slug or a tenant; without it the ambient tenant.
   * @throws `TENANT_NOT_FOUND`, `TENANT_SUSPENDED`, `TENANT_NO_SCOPE`, `SCHEMA_MISSING`,
   * `TRANSACTION_LEFT_OPEN`, `TRANSACTION_ROLLED_BACK`, `OPTIONS_INVALID` without a function, and
   * what `fn` throws
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const loan = (router: SchemaRouter, id: number) =>
   *   router.withTenant('acme', (db) => db.query('select * from loans where id = $1', [id]))
   */
  withTenant<R>(tenant: TenantOrSlug, fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R>
  withTenant<R>(fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R>
  async withTenant<R>(
    first: TenantOrSlug | ScopeFunction<R>,
    second?: ScopeFunction<R> | ScopeOptions,
    third?: ScopeOptions,
  ): Promise<R> {
    const leases = this.#leases
    if (typeof first === 'function') {
      const options = typeof second === 'function' ? third : second
      return runScope(leases, currentScope(), first, options)
    }
    requireFunction('withTenant', second)
    const scope = await untilAborted(this.#scopes.of(first), third?.signal)
    return runScope(leases, scope, second, third)
  }

  /**
   * Lends `fn` a client for the shared schema or a static one.
   *
   * @throws `NAME_INVALID`, `SCHEMA_MISSING`, and `OPTIONS_INVALID` for a schema that is not configured
   */
  async withSchema<R>(name: string, fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R> {
    requireFunction('withSchema', fn)
    const scope = this.#scopes.make(fixedSchema(this.#options.layout, name))
    return runScope(this.#leases, scope, fn, options)
  }

  /**
   * Makes a tenant ambient while `fn` runs; no client is taken.
   *
   * @throws `TENANT_NOT_FOUND`, `TENANT_SUSPENDED`, `OPTIONS_INVALID` without a function, and what
   * `fn` throws
   */
  async runAs<R>(tenant: TenantOrSlug, fn: () => R | Promise<R>): Promise<R> {
    requireFunction('runAs', fn)
    return runInScope(await this.#scopes.of(tenant), async () => fn())
  }

  /**
   * The ambient tenant.
   *
   * @throws `TENANT_NO_SCOPE` outside of one
   */
  current(): Tenant<Metadata> {
    return this.tryCurrent() ?? noScope()
  }

  /** The ambient tenant, or `undefined` outside of one. */
  tryCurrent(): Tenant<Metadata> | undefined {
    const tenant = tryCurrentScope()?.tenant
    return tenant && typed(tenant)
  }

  /** A `pg.Pool` whose every query answers for one tenant, whatever is ambient. */
  poolFor(tenant: TenantOrSlug): TenantPool {
    const key = typeof tenant === 'string' ? tenant : `${tenant.slug} ${tenant.id}`
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    const pool = new TenantPool(this.#leases, () => this.#scopes.of(tenant))
    if (this.#pools.size >= MAX_POOLS) this.#pools.clear()
    this.#pools.set(key, pool)
    return pool
  }

  /**
   * Finds the tenant or static schema of a request, from memory or by one query.
   *
   * @param request The host and the path, or the headers and the path.
   * @returns `undefined` for an unknown host, or for what is no host at all.
   * @example
   * import type { IncomingMessage } from 'node:http'
   * import type { SchemaRouter } from 'tenantry'
   *
   * const find = (router: SchemaRouter, { headers, url = '/' }: IncomingMessage) =>
   *   router.resolve({ headers, path: url })
   */
  resolve(request: RequestAddress): Promise<Destination<Metadata> | undefined> {
    const known = this.peek(request)
    if (known !== undefined) return Promise.resolve(known.destination)
    const { database } = this.#leases
    type Found = Promise<Destination<Metadata> | undefined>
    return database.attend(() => this.#resolver.resolve(request) as Found)
  }

  /**
   * As {@link SchemaRouter.resolve}, at once and from memory only.
   *
   * @returns `undefined` when the registry has to be asked; call `resolve` then.
   */
  peek(request: RequestAddress): Resolution<Metadata> | undefined {
    return this.#resolver.peek(request) as Resolution<Metadata> | undefined
  }

  /**
   * Runs `fn` once in each selected schema.
   *
   * @throws `RUN_FAILED` with the report, when `fn` failed in a schema
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS` before anything is run
   */
  async each(
    selector: Selector,
    fn: EachFunction<Metadata>,
    options: EachOptions = {},
  ): Promise<RunReport> {
    requireFunction('each', fn)
    const { runEach } = await import('./each.js')
    const schemas = await this.migrations.select({ ...options, select: selector })
    const scoped = schemas.map((schema) => ({ schema, scope: this.#scopes.make(schema) }))
    return runEach(this.#leases, scoped, fn as EachFunction, options)
  }

  /**
   * The names of the schemas that a selector names, in the order of a run. Nothing is touched.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`
   */
  async whoWill(
    selector: Selector,
    options: Pick<EachOptions, 'exclude' | 'limit'> = {},
  ): Promise<readonly string[]> {
    const schemas = await this.migrations.select({ ...options, select: selector })
    return schemas.map(({ schema }) => schema)
  }

  /** Closes what the router has connected; a pool that you gave stays open. */
  async close(): Promise<void> {
    const { pool, ownsPool } = this.#options
    await this.#heard.close()
    if (ownsPool && !pool.ending) await pool.end()
  }

  /** As {@link SchemaRouter.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
