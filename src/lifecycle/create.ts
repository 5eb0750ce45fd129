import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { DomainName } from '../names/domain-name.js'
import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import { parseSlug, schemaOfSlug } from '../names/slug.js'
import { checkExtensions } from '../migration/extension-check.js'
import { installExtensions } from '../migration/extensions.js'
import { type SchemaLayout, bridgeOf, loadSets, pathOf } from '../migration/layout.js'
import { applyPending } from '../migration/unit.js'
import type { Database } from '../postgres/database.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import type { LookUps } from '../registry/look-ups.js'
import type { NewTenant } from '../registry/registry.js'
import type { Tenant } from '../registry/tenant.js'
import { listOf, optionInvalid } from '../support/options.js'
import { type DomainParts, addDomain } from './add-domain.js'
import { type BridgedTenant, createBridged } from './create-bridged.js'
import { type StaticDomain, parseFreeDomain } from './free-domain.js'

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
export interface LifecycleParts extends DomainParts {
  readonly staticDomains: readonly StaticDomain[]
  readonly db: Database
  readonly layout: SchemaLayout
  /** What this process remembers; whoever writes has it forget. */
  readonly lookUps: Pick<LookUps, 'find' | 'peek' | 'forgetTenant' | 'forgetHost'>
}

const LOCK_TIMEOUT_MS = 10_000

/**
 * Creates a tenant in one transaction: row, domains, schema, migrations, ledger. Where another tool
 * migrates, the row comes last, and the schema is dropped again if something fails.
 *
 * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_EXISTS`, `DOMAIN_TAKEN`, `SCHEMA_EXISTS`,
 * `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`; then nothing was made.
 */
export async function createTenant(parts: LifecycleParts, input: CreateTenant): Promise<Tenant> {
  const { db, layout, registry } = parts
  const slug = parseSlug(input.slug)
  const schema = schemaOfSlug(layout.tenants.prefix, slug)
  const metadata = checkMetadata(input.metadata)
  const domains = listOf('domains', input.domains ?? []).map((domain) =>
    parseFreeDomain(domain, parts),
  )
  const migrationsOf = await loadSets(layout)
  const migrations = migrationsOf({ schema, kind: 'tenant' })
  const uses = migrations.map((migration) => ({ migration, way: 'there' as const }))
  await checkExtensions(db, uses, layout.extensions?.create ?? [])
  await registry.install(db)
  await installExtensions(db, layout.extensions)
  const row: NewTenant = { slug, name: input.name ?? slug, schema, metadata }
  const bridge = bridgeOf(layout, { schema, kind: 'tenant' })
  if (bridge)
    return createBridged(db, { layout, bridge, schema, ...bridgedSteps(parts, row, domains) })

  return db.transaction(async (client) => {
    const tenant = await register(client, parts, { row, domains })
    await createSchema(client, schema)
    await applyPending(client, {
      schema,
      path: pathOf(layout, schema, 'tenant'),
      migrations,
      createSchema: false,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      tenant: slug,
      guard: { allow: [], registry: layout.shared.schema },
    })
    return tenant
  })
}

function bridgedSteps(
  parts: LifecycleParts,
  row: NewTenant,
  domains: readonly DomainName[],
): Pick<BridgedTenant, 'register' | 'makeSchema'> {
  return {
    register: (client) => register(client, parts, { row, domains }),
    makeSchema: (client) => createSchema(client, row.schema),
  }
}

function checkMetadata(metadata: unknown = {}): Record<string, unknown> {
  if (isRecord(metadata)) return metadata
  throw optionInvalid('metadata', 'Option "metadata" must be a JSON object.')
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

async function register(
  client: PoolClient,
  parts: DomainParts,
  { row, domains }: { readonly row: NewTenant; readonly domains: readonly DomainName[] },
): Promise<Tenant> {
  const tenant = await parts.registry.insert(client, row)
  for (const [index, domain] of domains.entries()) {
    await addDomain(client, parts, { slug: row.slug, domain, primary: index === 0 })
  }
  return tenant
}

async function createSchema(client: PoolClient, schema: SchemaName): Promise<void> {
  try {
    await client.query(`create schema ${quoteIdent(schema)}`)
  } catch (error) {
    if (sqlStateOf(error) !== SQL_STATE.duplicateSchema) throw error
    throw new TenantryError(
      'SCHEMA_EXISTS',
      `Schema "${schema}" exists already and belongs to no tenant. It is not adopted: ` +
        'rename or drop it, or choose another slug.',
      { schema, cause: error },
    )
  }
}
