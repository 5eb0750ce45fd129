import type { Pool, PoolClient } from 'pg'
import type { DomainName } from '../../names/domain-name.js'
import type { SchemaName } from '../../names/schema-name.js'
import { parseSlug, schemaOfSlug } from '../../names/slug.js'
import { checkExtensions } from '../../migration/extensions/extension-check.js'
import { installExtensions } from '../../migration/extensions/extensions.js'
import { type SchemaLayout, bridgeOf, loadSets, pathOf } from '../../migration/layout.js'
import type { Migration } from '../../migration/source.js'
import type { Database } from '../../postgres/database.js'
import type { LookUps } from '../../registry/look-ups.js'
import type { NewTenant } from '../../registry/registry.js'
import type { MetadataSchema } from '../../registry/metadata-schema.js'
import type { Tenant, TenantMetadata } from '../../registry/tenant.js'
import { listOf, optionInvalid, refuseUnknown } from '../../support/options.js'
import { type DomainParts, addDomain } from '../domain/add-domain.js'
import { type BridgedTenant, createBridged } from './create-bridged.js'
import { type StaticDomain, parseFreeDomain } from '../domain/free-domain.js'
import { type TenantHooks, runHook, runMigrateHook } from '../hooks.js'
import { checkMetadata, validMetadata } from '../metadata.js'
import { readComments } from '../schema-mark.js'
import type { SpareOffer } from '../spare/claim-spare.js'
import type { Spares } from '../spare/late-spares.js'
import { createSchema } from './structure.js'
import { makeStructure } from './make-structure.js'

/** A tenant to be created. */
export interface CreateTenant<Metadata = TenantMetadata> {
  /** The stable key: a-z, 0-9, `-` and `_`. */
  readonly slug: string
  /** The name for people. @defaultValue the slug */
  readonly name?: string
  /** Host names, optionally with a path; the first one is the primary domain. */
  readonly domains?: readonly string[]
  /** Whatever the service keeps with the tenant: a JSON object, validated by the router's `metadata`. */
  readonly metadata?: Metadata
}

/** What the lifecycle of tenants works with. */
export interface LifecycleParts extends DomainParts {
  readonly staticDomains: readonly StaticDomain[]
  readonly db: Database
  readonly layout: SchemaLayout
  /** What this process remembers; whoever writes has it forget. */
  readonly lookUps: Pick<LookUps, 'find' | 'peek' | 'forgetTenant' | 'forgetHost'>
  /** What the service does at turns of a tenant's life. */
  readonly hooks: TenantHooks
  /** Whether the schemas of tenants are made here, and not elsewhere. */
  readonly autoCreateSchema: boolean
  /** What the service allows in the metadata of its tenants. */
  readonly metadata: MetadataSchema | undefined
  /** Whose clients the work is done on. */
  readonly pool: Pool
  /** Schemas that are kept ready for new tenants. */
  readonly spares: Spares
}

/**
 * Creates a tenant in one transaction: row, domains, schema, migrations, ledger. Where another tool
 * migrates, the row comes last, and the schema is dropped again if something fails.
 *
 * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `METADATA_INVALID`, `TENANT_EXISTS`, `DOMAIN_TAKEN`,
 * `SCHEMA_EXISTS`, `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`, `HOOK_FAILED`; then nothing was
 * made.
 */
export async function createTenant(
  parts: LifecycleParts,
  input: CreateTenant<unknown>,
): Promise<Tenant> {
  const order = await validOrder(parts, input)
  const { create } = await prepareCreate(parts, order.row.schema)
  return create(order)
}

/** What new tenants have in common, and how each of them is made. */
export interface PreparedCreate {
  /** What a new tenant's schema is given; nothing where another tool migrates. */
  readonly migrations: readonly Migration[]
  readonly create: (order: NewTenantOrder) => Promise<Tenant>
}

/** Does once what any number of new tenants needs. @param schema That of one of them. */
export async function prepareCreate(
  parts: LifecycleParts,
  schema: SchemaName,
): Promise<PreparedCreate> {
  const { db, layout, registry } = parts
  const owned = { schema, kind: 'tenant' as const }
  const migrations = (await loadSets(layout))(owned)
  const uses = migrations.map((migration) => ({ migration, way: 'there' as const }))
  await checkExtensions(db, uses, { soon: layout.extensions?.create ?? [] })
  await registry.install(db)
  await installExtensions(db, layout.extensions)
  const bridge = bridgeOf(layout, owned)
  const create = async (order: NewTenantOrder): Promise<Tenant> => {
    if (!parts.autoCreateSchema) return registerAlone(parts, order)
    if (bridge) return createBridged(db, { layout, bridge, ...bridgedSteps(parts, order) })
    const spare = await parts.spares.offer(migrations)
    const tenant = await db.transaction((client) =>
      provision(parts, client, { order, migrations, spare }),
    )
    parts.spares.taken()
    return tenant
  }
  return { migrations: parts.autoCreateSchema ? migrations : [], create }
}

/** What is known of a new tenant before anything is made. */
export interface NewTenantOrder {
  readonly row: NewTenant
  readonly domains: readonly DomainName[]
}

const KEYS: readonly (keyof CreateTenant)[] = ['slug', 'name', 'domains', 'metadata']

/** Checks everything that can be checked without the database, the metadata by the service's schema. */
export async function validOrder(
  parts: LifecycleParts,
  input: CreateTenant<unknown>,
): Promise<NewTenantOrder> {
  const order = parseOrder(parts, input)
  const { slug: tenant, metadata } = order.row
  const row = { ...order.row, metadata: await validMetadata(parts, { tenant, metadata }) }
  return { ...order, row }
}

/** Checks all but what the service's schema has to say. */
function parseOrder(parts: LifecycleParts, input: CreateTenant<unknown>): NewTenantOrder {
  const { slug: given, name, domains = [], metadata } = input
  refuseUnknown('', input, KEYS)
  if (name !== undefined && typeof name !== 'string') {
    throw optionInvalid('name', 'Option "name" must be a text.')
  }
  const slug = parseSlug(given)
  const schema = schemaOfSlug(parts.layout.tenants.prefix, slug)
  return {
    row: { slug, name: name ?? slug, schema, metadata: checkMetadata(metadata) },
    domains: listOf('domains', domains).map((domain) => parseFreeDomain(domain, parts)),
  }
}

/** What is made inside of one transaction. */
export interface Provision {
  readonly order: NewTenantOrder
  readonly migrations: readonly Migration[]
  /** Schemas that are ready, one of which the tenant may get instead of a new one. */
  readonly spare?: SpareOffer | undefined
  /** Other schemas that the caller's transaction has locked already. */
  readonly locked?: readonly SchemaName[]
  /** What comes after the migrations. */
  readonly fill?: (tenant: Tenant) => Promise<void>
}

/** Makes the whole tenant in the caller's transaction. */
export async function provision(
  parts: LifecycleParts,
  client: PoolClient,
  { order, fill, ...structure }: Provision,
): Promise<Tenant> {
  const { layout, hooks } = parts
  const { schema } = order.row
  const tenant = await register(client, parts, order)
  const place = { client, tenant, path: pathOf(layout, schema, 'tenant') }
  await makeStructure(parts, place, { ...order.row, ...structure })
  await runMigrateHook(hooks, 'after', place)
  await fill?.(tenant)
  await runHook(hooks, 'afterCreate', place)
  return tenant
}

/** Where schemas are made elsewhere, a tenant is served as soon as its schema is there. */
function registerAlone(parts: LifecycleParts, order: NewTenantOrder): Promise<Tenant> {
  const { db, registry, layout, hooks } = parts
  const { slug, schema } = order.row
  return db.transaction(async (client) => {
    const tenant = await register(client, parts, order)
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
  parts: LifecycleParts,
  order: NewTenantOrder,
): Pick<BridgedTenant, 'schema' | 'register' | 'find' | 'makeSchema' | 'complete'> {
  const { layout, hooks, registry } = parts
  const { slug, schema } = order.row
  const path = pathOf(layout, schema, 'tenant')
  return {
    schema,
    register: (client) => register(client, parts, order),
    find: (db) => registry.findBySlug(db, slug),
    makeSchema: async (client, tenant) => {
      await createSchema(client, schema)
      await runHook(hooks, 'beforeCreate', { client, tenant, path })
      await runMigrateHook(hooks, 'before', { client, tenant, path })
    },
    complete: async (client, tenant) => {
      await runMigrateHook(hooks, 'after', { client, tenant, path })
      await runHook(hooks, 'afterCreate', { client, tenant, path })
    },
  }
}

async function register(
  client: PoolClient,
  parts: DomainParts,
  { row, domains }: NewTenantOrder,
): Promise<Tenant> {
  const tenant = await parts.registry.insert(client, row)
  for (const [index, domain] of domains.entries()) {
    await addDomain(client, parts, { slug: row.slug, domain, primary: index === 0 })
  }
  return tenant
}
