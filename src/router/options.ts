import pg from 'pg'
import type { Pool, PoolConfig } from 'pg'
import { type TenantHooks, checkHooks } from '../lifecycle/hooks.js'
import type { SchemaLayout } from '../migration/layout.js'
import type { MigrationOrigin } from '../migration/bridge.js'
import type { LeaseRules } from '../postgres/lease-pool.js'
import { tableRegistry } from '../registry/table-registry.js'
import type { TenantRegistry } from '../registry/registry.js'
import type { Tenant } from '../registry/tenant.js'
import { type ExtensionsOptions, resolveExtensions } from './extension-options.js'
import type { SchemaKind } from '../selector/selector.js'
import { flag, optionInvalid, refuseUnknown, wholeNumber } from '../support/options.js'
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
import { resolveLayout } from './layout-options.js'
import { type FixedDomains, resolveFixedDomains } from './fixed-domains.js'
import { resolveSpares } from './spare-options.js'

/** A migration set: a directory, a source of your own, or another tool behind a bridge. */
export type Migrations = string | MigrationOrigin

/** What a {@link SchemaRouter} is made of. */
export interface SchemaRouterOptions {
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
  /** How clients are lent to scopes. */
  readonly scope?: ScopeConfig
  /** Where tenants are kept. @defaultValue two tables of the package in the shared schema */
  readonly registry?: TenantRegistry
  /** How hosts lead to tenants. */
  readonly domains?: DomainOptions
  /** What the process remembers of the registry. */
  readonly cache?: CacheOptions
  /** What the service does at turns of a tenant's life. */
  readonly hooks?: TenantHooks
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
export interface ScopeSubject {
  readonly schema: string
  readonly kind: SchemaKind
  /** Only with the kind `tenant`. */
  readonly tenant: Tenant | undefined
}

/** How the clients of the pool are lent to scopes. */
export interface ScopeConfig {
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
  readonly settings?: (subject: ScopeSubject) => Readonly<Record<string, string>>
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
  readonly spareCount: number
}

/** Checks the options of a router before anything is connected. */
export function resolveOptions(options: SchemaRouterOptions): ResolvedOptions {
  checkKeys(options)
  const layout = resolveLayout(options.schemas ?? {}, resolveExtensions(options.extensions))
  const domainRules = resolveDomainOptions(options.domains ?? {})
  return {
    ...resolvePool(options),
    ...resolveFixedDomains(options.schemas?.static ?? {}, domainRules),
    layout,
    registry: options.registry ?? tableRegistry(layout.shared.schema),
    domainRules,
    cache: resolveCacheOptions(options.cache ?? {}),
    leaseRules: resolveScope(options.scope ?? {}),
    settingsOf: options.scope?.settings,
    ...resolveLifecycle(options, layout),
  }
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

const KEYS = {
  options: [
    'pool',
    'connectionString',
    'poolOptions',
    'schemas',
    'extensions',
    'scope',
    'registry',
    'domains',
    'cache',
    'hooks',
    'spares',
  ],
  schemas: ['shared', 'static', 'tenants'],
  shared: ['name', 'migrations'],
  tenants: ['prefix', 'migrations', 'searchPath', 'autoCreateSchema'],
  scope: [
    'prepare',
    'maxStatementsPerClient',
    'maxSchemasPerClient',
    'acquireTimeout',
    'pooler',
    'settings',
  ],
} as const

/** A misspelt option would be ignored, and a schema or a limit with it. */
function checkKeys(options: SchemaRouterOptions): void {
  const { schemas = {}, scope = {} } = options
  refuseUnknown('', options, KEYS.options)
  refuseUnknown('schemas.', schemas, KEYS.schemas)
  refuseUnknown('schemas.shared.', schemas.shared ?? {}, KEYS.shared)
  refuseUnknown('schemas.tenants.', schemas.tenants ?? {}, KEYS.tenants)
  refuseUnknown('scope.', scope, KEYS.scope)
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

function resolvePool(options: SchemaRouterOptions): Pick<ResolvedOptions, 'pool' | 'ownsPool'> {
  const { pool, connectionString, poolOptions } = options
  if (pool !== undefined && connectionString === undefined) return { pool, ownsPool: false }
  if (pool === undefined && connectionString !== undefined) {
    const own = new pg.Pool({ ...poolOptions, connectionString })
    // pg drops a client that fails while it is idle; without a listener it would end the process.
    own.on('error', () => {})
    return { pool: own, ownsPool: true }
  }
  throw optionInvalid('pool', 'Give either "pool", a pg.Pool of yours, or "connectionString".')
}
