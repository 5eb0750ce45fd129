import pg from 'pg'
import type { Pool, PoolConfig } from 'pg'
import { type TenantHooks, checkHooks } from '../lifecycle/hooks.js'
import { type StaticDomain, parseFreeDomain } from '../lifecycle/free-domain.js'
import { directory } from '../migration/sources/directory.js'
import type { SchemaLayout } from '../migration/layout.js'
import type { MigrationOrigin } from '../migration/bridge.js'
import { parsePrefix, parseSchemaName } from '../names/schema-name.js'
import type { LeaseRules } from '../postgres/lease-pool.js'
import { tableRegistry } from '../registry/table-registry.js'
import type { TenantRegistry } from '../registry/registry.js'
import { listOf, optionInvalid, yesOrNo } from '../support/options.js'
import { type ScopeConfig, resolveScope } from './scope-options.js'

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
  /** How clients are lent to scopes. */
  readonly scope?: ScopeConfig
  /** What the service does at turns of a tenant's life. */
  readonly hooks?: TenantHooks
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
}

/** Options with every default filled in and every name checked. */
export interface ResolvedOptions {
  readonly pool: Pool
  readonly ownsPool: boolean
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly leaseRules: LeaseRules
  readonly settingsOf: ScopeConfig['settings'] | undefined
  readonly staticDomains: readonly StaticDomain[]
  readonly hooks: TenantHooks
  readonly autoCreateSchema: boolean
}

/** Checks the options of a router before anything is connected. */
export function resolveOptions(options: SchemaRouterOptions): ResolvedOptions {
  checkKeys(options)
  const layout = resolveLayout(options.schemas ?? {})
  const staticDomains = resolveStaticDomains(options.schemas?.static ?? {})
  return {
    ...resolvePool(options),
    layout,
    registry: tableRegistry(layout.shared.schema),
    staticDomains,
    leaseRules: resolveScope(options.scope ?? {}),
    settingsOf: options.scope?.settings,
    hooks: checkHooks(options.hooks ?? {}),
    autoCreateSchema: yesOrNo(
      'schemas.tenants.autoCreateSchema',
      options.schemas?.tenants?.autoCreateSchema ?? true,
    ),
  }
}

const KEYS = {
  options: ['pool', 'connectionString', 'poolOptions', 'schemas', 'scope', 'hooks'],
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

function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw optionInvalid(
    where + unknown,
    `Option "${where}${unknown}" does not exist. Use one of ${known.join(', ')}.`,
  )
}

/** No domain twice: the second one would never be reached. */
function resolveStaticDomains(
  statics: Readonly<Record<string, StaticSchemaOptions>>,
): readonly StaticDomain[] {
  const found: StaticDomain[] = []
  for (const [name, { domains = [] }] of Object.entries(statics)) {
    for (const domain of listOf('domains', domains)) {
      found.push({ schema: parseSchemaName(name), domain: parseFreeDomain(domain, found) })
    }
  }
  return found
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

function resolveLayout({ shared, static: statics = {}, tenants }: SchemasOptions): SchemaLayout {
  const layout: SchemaLayout = {
    shared: {
      schema: parseSchemaName(shared?.name ?? 'public'),
      source: resolveSource(shared?.migrations),
    },
    static: new Map(
      Object.entries(statics).map(([name, { migrations }]) => [
        parseSchemaName(name),
        resolveSource(migrations),
      ]),
    ),
    tenants: {
      prefix: parsePrefix(tenants?.prefix ?? 'tenant_'),
      source: resolveSource(tenants?.migrations),
      extras: listOf('searchPath', tenants?.searchPath ?? []).map(parseSchemaName),
    },
  }
  checkApart(layout)
  return layout
}

/** A tenant's schema must never be one of the fixed ones. */
function checkApart({ shared, static: statics, tenants }: SchemaLayout): void {
  for (const name of [shared.schema, ...statics.keys()]) {
    if (!name.startsWith(tenants.prefix)) continue
    throw optionInvalid(
      'prefix',
      `Schema "${name}" begins with the tenants' prefix "${tenants.prefix}". Rename one of them.`,
    )
  }
  if (statics.has(shared.schema)) {
    throw optionInvalid('static', `Schema "${shared.schema}" is the shared one already.`)
  }
}

function resolveSource(migrations: Migrations | undefined): MigrationOrigin | undefined {
  return typeof migrations === 'string' ? directory(migrations) : migrations
}
