import type { Pool, PoolConfig } from 'pg'
import type { TenantHooks } from '../lifecycle/hooks.js'
import type { SchemaLayout } from '../migration/layout.js'
import type { MigrationOrigin } from '../migration/bridges/bridge.js'
import { type GuardOption, resolveGuard } from '../migration/guard/guard-option.js'
import type { LeaseRules } from '../postgres/lease-pool.js'
import { tableRegistry } from '../registry/table/table-registry.js'
import type { TenantRegistry } from '../registry/registry.js'
import type { MetadataSchema } from '../registry/metadata-schema.js'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { type ExtensionsOptions, resolveExtensions } from './extension-options.js'
import type { SchemaKind } from '../selector/selector.js'
import { flag, wholeNumber } from '../support/options.js'
import {
  type CacheOptions,
  type ResolvedCacheOptions,
  resolveCacheOptions,
} from './cache-options.js'
import {
  type DomainOptions,
  type ResolvedDomainOptions,
  resolveDomainOptions,
} from './domain-options.js'
import { checkMetadataSchema } from './metadata-options.js'
import { checkRegistry } from './registry-options.js'
import { checkHooks } from './hook-options.js'
import { checkKeys } from './option-keys.js'
import { resolvePool } from './pool-options.js'
import { resolveLayout } from './layout-options.js'
import { type FixedDomains, resolveFixedDomains } from './fixed-domains.js'
import { resolveSpares } from './spare-options.js'

/** A migration set: a directory, a source of your own, or another tool behind a bridge. */
export type Migrations = string | MigrationOrigin

/** What a {@link SchemaRouter} is made of. */
export interface SchemaRouterOptions<Metadata extends object = TenantMetadata, Input = Metadata> {
  /** A pool that you own and close; unscoped use of it elsewhere stays as it was. */
  readonly pool?: Pool
  /** Instead of `pool`: the router makes a pool of its own and closes it. */
  readonly connectionString?: string
  /** More settings for the router's own pool. */
  readonly poolOptions?: PoolConfig
  /** The schemas of the service. @defaultValue `{}`: `public`, no static schema, prefix `tenant_` */
  readonly schemas?: SchemasOptions
  /** Extensions that all schemas share: made once, and found from every schema. */
  readonly extensions?: ExtensionsOptions
  /**
   * What migrations may change outside of their schema, in runs and for new tenants. A run's own
   * `guard` takes its place.
   *
   * @defaultValue `{ allow: [] }`
   */
  readonly guard?: GuardOption
  /** How clients are lent to scopes. */
  readonly scope?: ScopeConfig<NoInfer<Metadata>>
  /** Where tenants are kept. @defaultValue two tables of the package in the shared schema */
  readonly registry?: TenantRegistry<object>
  /**
   * Validates the metadata of tenants before they are kept: a schema of zod, valibot, arktype or any
   * other library of Standard Schema. What it makes of them is what is kept.
   *
   * @see https://standardschema.dev
   */
  readonly metadata?: MetadataSchema<Input, Metadata>
  /** How hosts lead to tenants. */
  readonly domains?: DomainOptions
  /** What the process remembers of the registry. */
  readonly cache?: CacheOptions
  /** What the service does at turns of a tenant's life. */
  readonly hooks?: TenantHooks<NoInfer<Metadata>>
  /**
   * How many schemas are kept ready for new tenants, made and migrated in the background; processes
   * with the same shared schema keep them together. @defaultValue `0`
   */
  readonly spares?: number
}

/** The schemas of a service, by kind. */
export interface SchemasOptions {
  /** The schema of the tenant registry and of what all tenants share. */
  readonly shared?: {
    /** @defaultValue `'public'` */
    readonly name?: string
    readonly migrations?: Migrations
  }
  /** Schemas that are there once, by name. */
  readonly static?: Readonly<Record<string, StaticSchemaOptions>>
  /** One schema per tenant. */
  readonly tenants?: {
    /** What a tenant's schema is called before its slug. @defaultValue `'tenant_'` */
    readonly prefix?: string
    readonly migrations?: Migrations
    /**
     * Schemas that are searched after the tenant's own, for shared tables and extensions.
     *
     * @defaultValue `[]`: nothing but the tenant's own
     */
    readonly searchPath?: readonly string[]
    /**
     * `false` where something else makes the tenants' schemas: `tenants.create` then adds row and
     * domains only. The tenant is `provisioning` until its schema is there and it is activated.
     *
     * @defaultValue `true`
     */
    readonly autoCreateSchema?: boolean
  }
}

/** A schema that is there once. */
export interface StaticSchemaOptions {
  readonly migrations?: Migrations
  /** Host names, optionally with a path, that lead to this schema. */
  readonly domains?: readonly string[]
  /**
   * Such names that count only where no tenant's domain does, so that tenants can have the same
   * ones. `*` stands for every host that leads nowhere else.
   */
  readonly fallbackDomains?: readonly string[]
}

/** What a scope is made for. */
export interface ScopeSubject<Metadata = TenantMetadata> {
  readonly schema: string
  readonly kind: SchemaKind
  /** Only with the kind `tenant`. */
  readonly tenant: Tenant<Metadata> | undefined
}

/** How the clients of the pool are lent to scopes. */
export interface ScopeConfig<Metadata = TenantMetadata> {
  /**
   * Prepares each statement under a name of its own per client and tenant, so that it is parsed
   * and planned once. Needs a direct connection, or PgBouncer 1.21 and newer.
   *
   * @defaultValue `false`
   */
  readonly prepare?: boolean
  /** How many named statements one client may hold. @defaultValue `200` */
  readonly maxStatementsPerClient?: number
  /**
   * After so many different schemas a client is replaced: a backend keeps the catalogs of every
   * schema that it has seen.
   *
   * @defaultValue `200`
   */
  readonly maxSchemasPerClient?: number
  /** How long a scope waits for a client, in milliseconds; then `POOL_STARVED`. @defaultValue `30_000` */
  readonly acquireTimeout?: number
  /** Allows session scopes behind a pooler that is known to be in session mode. */
  readonly pooler?: 'session'
  /**
   * More settings that ride with each statement, local to its transaction: a role, a timeout, a
   * variable for row-level security. They cost no round trip.
   */
  readonly settings?: (subject: ScopeSubject<Metadata>) => Readonly<Record<string, string>>
}

/** Options with every default filled in and every name checked. */
export interface ResolvedOptions extends FixedDomains {
  readonly pool: Pool
  readonly ownsPool: boolean
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly leaseRules: LeaseRules
  readonly settingsOf: ScopeConfig['settings'] | undefined
  readonly domainRules: ResolvedDomainOptions
  readonly cache: ResolvedCacheOptions
  readonly hooks: TenantHooks
  readonly autoCreateSchema: boolean
  readonly metadata: MetadataSchema | undefined
  readonly spareCount: number
}

/** Checks the options of a router before anything is connected. */
export function resolveOptions<Metadata extends object, Input>(
  given: SchemaRouterOptions<Metadata, Input>,
): ResolvedOptions {
  const options = withoutTypes(given)
  checkKeys(options)
  const layout = resolveLayout(options.schemas ?? {}, {
    extensions: resolveExtensions(options.extensions),
    guard: resolveGuard(options.guard),
  })
  const domainRules = resolveDomainOptions(options.domains ?? {})
  return {
    ...resolvePool(options),
    ...resolveFixedDomains(options.schemas?.static ?? {}, domainRules),
    layout,
    registry: registryOf(options, layout),
    metadata: checkMetadataSchema(options.metadata),
    domainRules,
    cache: resolveCacheOptions(options.cache ?? {}),
    leaseRules: resolveScope(options.scope ?? {}),
    settingsOf: options.scope?.settings,
    ...resolveLifecycle(options, layout),
  }
}

function registryOf({ registry }: SchemaRouterOptions, layout: SchemaLayout): TenantRegistry {
  return registry === undefined ? tableRegistry(layout.shared.schema) : checkRegistry(registry)
}

/** Inside of the package, metadata are any JSON objects; what the service says of them is its own. */
function withoutTypes<Metadata extends object, Input>(
  options: SchemaRouterOptions<Metadata, Input>,
): SchemaRouterOptions {
  return options as unknown as SchemaRouterOptions
}

function resolveLifecycle(
  { hooks = {}, schemas = {}, spares }: SchemaRouterOptions,
  layout: SchemaLayout,
): Pick<ResolvedOptions, 'hooks' | 'autoCreateSchema' | 'spareCount'> {
  const makes = schemas.tenants?.autoCreateSchema ?? true
  const autoCreateSchema = flag('schemas.tenants.autoCreateSchema', makes)
  const spareCount = resolveSpares(spares, layout, autoCreateSchema)
  return { hooks: checkHooks(hooks), autoCreateSchema, spareCount }
}

function resolveScope(scope: ScopeConfig): LeaseRules {
  return {
    naming: {
      prepare: scope.prepare ?? false,
      maxStatements: wholeNumber('maxStatementsPerClient', scope.maxStatementsPerClient ?? 200, 1),
    },
    maxSchemas: wholeNumber('maxSchemasPerClient', scope.maxSchemasPerClient ?? 200, 1),
    acquireTimeoutMs: wholeNumber('acquireTimeout', scope.acquireTimeout ?? 30_000, 1),
    poolerKeepsSession: scope.pooler === 'session',
  }
}
