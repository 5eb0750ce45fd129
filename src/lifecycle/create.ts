import type { PoolClient } from 'pg'
import type { DomainName } from '../names/domain-name.js'
import type { SchemaName } from '../names/schema-name.js'
import { parseSlug, schemaOfSlug } from '../names/slug.js'
import { type SchemaLayout, bridgeOf, loadSets, pathOf } from '../migration/layout.js'
import type { Migration } from '../migration/source.js'
import type { Database } from '../postgres/database.js'
import type { LookUps } from '../registry/look-ups.js'
import type { NewTenant, TenantRegistry } from '../registry/registry.js'
import type { Tenant } from '../registry/tenant.js'
import { listOf, optionInvalid } from '../support/options.js'
import { type BridgedTenant, createBridged } from './create-bridged.js'
import { type StaticDomain, parseFreeDomain } from './free-domain.js'
import { type TenantHooks, runHook } from './hooks.js'
import { readComments } from './schema-mark.js'
import { createSchema, migrateNew } from './structure.js'

/** A tenant to be created. */
export interface CreateTenant {
  /** The stable key: a-z, 0-9, `-` and `_`. */
  readonly slug: string
  /** The name for people. @defaultValue the slug */
  readonly name?: string
  /** Host names, optionally with a path; the first one is the primary domain. */
  readonly domains?: readonly string[]
  /** Whatever the service keeps with the tenant: a JSON object. */
  readonly metadata?: Record<string, unknown>
}

/** What the lifecycle of tenants works with. */
export interface LifecycleParts {
  readonly db: Database
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly staticDomains: readonly StaticDomain[]
  /** What this process remembers; whoever writes has it forget. */
  readonly lookUps: LookUps
  /** What the service does at turns of a tenant's life. */
  readonly hooks: TenantHooks
  /** Whether the schemas of tenants are made here, and not elsewhere. */
  readonly autoCreateSchema: boolean
}

/** The migrations of every kind of schema, loaded once. */
type LoadedSets = Awaited<ReturnType<typeof loadSets>>

/**
 * Creates a tenant in one transaction: row, domains, schema, migrations, ledger. Where another tool
 * migrates, the row comes last, and the schema is dropped again if something fails.
 *
 * @param loaded Whoever creates many tenants reads the migrations once.
 * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_EXISTS`, `DOMAIN_TAKEN`, `SCHEMA_EXISTS`,
 * `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`; then nothing was made.
 */
export async function createTenant(
  parts: LifecycleParts,
  input: CreateTenant,
  loaded?: LoadedSets,
): Promise<Tenant> {
  const { db, layout, registry } = parts
  const order = parseOrder(parts, input)
  const owned = { schema: order.row.schema, kind: 'tenant' as const }
  const migrationsOf = loaded ?? (await loadSets(layout))
  await registry.install(db)
  if (!parts.autoCreateSchema) return registerAlone(parts, order)
  const bridge = bridgeOf(layout, owned)
  if (bridge) return createBridged(db, { layout, bridge, ...bridgedSteps(parts, order) })
  return db.transaction((client) =>
    provision(parts, client, { order, migrations: migrationsOf(owned) }),
  )
}

/** What is known of a new tenant before anything is made. */
export interface NewTenantOrder {
  readonly row: NewTenant
  readonly domains: readonly DomainName[]
}

/** Checks everything that can be checked without the database. */
export function parseOrder(
  { layout, staticDomains }: LifecycleParts,
  { slug: given, name, domains = [], metadata }: CreateTenant,
): NewTenantOrder {
  const slug = parseSlug(given)
  const schema = schemaOfSlug(layout.tenants.prefix, slug)
  return {
    row: { slug, name: name ?? slug, schema, metadata: checkMetadata(metadata) },
    domains: listOf('domains', domains).map((domain) => parseFreeDomain(domain, staticDomains)),
  }
}

/** What is made inside of one transaction. */
export interface Provision {
  readonly order: NewTenantOrder
  readonly migrations: readonly Migration[]
  /** Other schemas that the caller's transaction has locked already. */
  readonly locked?: readonly SchemaName[]
  /** What comes after the migrations. */
  readonly fill?: (tenant: Tenant) => Promise<void>
}

/** Makes the whole tenant in the caller's transaction. */
export async function provision(
  { registry, layout, hooks }: LifecycleParts,
  client: PoolClient,
  { order, migrations, locked, fill }: Provision,
): Promise<Tenant> {
  const { slug, schema } = order.row
  const tenant = await register(client, registry, order)
  const place = { client, tenant, path: pathOf(layout, schema, 'tenant') }
  await createSchema(client, schema)
  await runHook(hooks, 'beforeCreate', place)
  await runHook(hooks, 'beforeMigrate', place)
  await migrateNew(client, layout, { schema, slug, migrations, allow: locked })
  await runHook(hooks, 'afterMigrate', place)
  await fill?.(tenant)
  await runHook(hooks, 'afterCreate', place)
  return tenant
}

/** Where schemas are made elsewhere, a tenant is served as soon as its schema is there. */
function registerAlone(
  { db, registry, layout, hooks }: LifecycleParts,
  order: NewTenantOrder,
): Promise<Tenant> {
  const { slug, schema } = order.row
  return db.transaction(async (client) => {
    const tenant = await register(client, registry, order)
    if (!(await readComments(client, [schema])).has(schema)) {
      return (await registry.setStatus(client, slug, 'provisioning')) ?? tenant
    }
    const place = { client, tenant, path: pathOf(layout, schema, 'tenant') }
    await runHook(hooks, 'beforeCreate', place)
    await runHook(hooks, 'afterCreate', place)
    return tenant
  })
}

function bridgedSteps(
  { registry, layout, hooks }: LifecycleParts,
  order: NewTenantOrder,
): Pick<BridgedTenant, 'schema' | 'register' | 'makeSchema' | 'complete'> {
  const { schema } = order.row
  const path = pathOf(layout, schema, 'tenant')
  return {
    schema,
    register: (client) => register(client, registry, order),
    makeSchema: async (client, tenant) => {
      await createSchema(client, schema)
      await runHook(hooks, 'beforeCreate', { client, tenant, path })
      await runHook(hooks, 'beforeMigrate', { client, tenant, path })
    },
    complete: async (client, tenant) => {
      await runHook(hooks, 'afterMigrate', { client, tenant, path })
      await runHook(hooks, 'afterCreate', { client, tenant, path })
    },
  }
}

/** Checks that metadata are a JSON object. */
export function checkMetadata(metadata: unknown = {}): Record<string, unknown> {
  if (isRecord(metadata)) return metadata
  throw optionInvalid('metadata', 'Option "metadata" must be a JSON object.')
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

async function register(
  client: PoolClient,
  registry: TenantRegistry,
  { row, domains }: NewTenantOrder,
): Promise<Tenant> {
  const tenant = await registry.insert(client, row)
  for (const [index, domain] of domains.entries()) {
    await registry.addDomain(client, row.slug, { ...domain, primary: index === 0, verified: true })
  }
  return tenant
}
