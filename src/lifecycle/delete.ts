import { isDeepStrictEqual } from 'node:util'
import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { bridgeOf, loadSets, pathOf } from '../migration/layout.js'
import { unitHooks } from '../migration/migrate-hooks.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../migration/run/run-options.js'
import type { Migration } from '../migration/source.js'
import { type SchemaName, parseSchemaName } from '../names/schema-name.js'
import { type Slug, parseSlug } from '../names/slug.js'
import { lockKey, lockTransaction } from '../postgres/advisory-lock.js'
import type { Tenant, TenantStatus } from '../registry/tenant.js'
import type { LifecycleParts } from './create/create.js'
import { runCommittedHook, runHook } from './hooks.js'
import { validMetadata } from './metadata.js'
import { tenantNotFound } from './not-found.js'
import { holdSchemas } from './schema-lock.js'
import { markOf, markSchema, readComments, requireNoPurge } from './schema-mark.js'
import { schemaMissing } from './standstill.js'
import { type StatusChange, requireStatus } from './status-change.js'
import { migrateNew } from './create/structure.js'

/** A tenant while its status is being changed. */
export interface ChangingTenant {
  readonly client: PoolClient
  readonly tenant: Tenant
  readonly slug: Slug
  readonly schema: SchemaName
}

/** Changes a tenant's status in one transaction, together with what `work` does. */
export async function changeStatus(
  { registry, db }: LifecycleParts,
  input: string,
  change: { readonly kind: StatusChange; readonly to: TenantStatus },
  work: (changing: ChangingTenant) => Promise<void> = async () => {},
): Promise<Tenant> {
  const slug = parseSlug(input)
  return db.transaction(async (client) => {
    await lockTransaction(client, lockKey('tenant', slug))
    const tenant = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
    requireStatus(tenant, change.kind)
    await work({ client, tenant, slug, schema: parseSchemaName(tenant.schema) })
    return (await registry.setStatus(client, slug, change.to)) ?? tenantNotFound(slug)
  })
}

/** Serves a tenant again; one that is still provisioning needs its schema first. */
export function activateTenant(parts: LifecycleParts, slug: string): Promise<Tenant> {
  return changeStatus(
    parts,
    slug,
    { kind: 'activate', to: 'active' },
    async ({ client, tenant, slug: its, schema }) => {
      if (tenant.status === 'provisioning') await requireSchema(client, schema)
      await requireHere(client, its, schema)
    },
  )
}

/** Stops serving a tenant and notes on its schema since when; nothing is dropped. */
export async function deleteTenant(parts: LifecycleParts, slug: string): Promise<Tenant> {
  const { hooks, layout, lookUps } = parts
  let isNew = false
  const deleted = await changeStatus(
    parts,
    slug,
    { kind: 'delete', to: 'deleted' },
    async ({ client, tenant, schema }) => {
      isNew = tenant.status !== 'deleted'
      if (!isNew) return
      const path = pathOf(layout, schema, 'tenant')
      await runHook(hooks, 'beforeDelete', { client, tenant, path })
      const exists = (await readComments(client, [schema])).has(schema)
      if (exists) await markSchema(client, schema, { kind: 'deleted', at: new Date() })
    },
  )
  lookUps.forgetTenant(deleted.slug)
  if (isNew) await runCommittedHook(hooks, 'afterDelete', deleted)
  return deleted
}

/** Serves a deleted tenant again, with the migrations that it has missed. */
export async function undeleteTenant(parts: LifecycleParts, slug: string): Promise<Tenant> {
  const migrationsOf = await loadSets(parts.layout)
  return changeStatus(parts, slug, { kind: 'undelete', to: 'active' }, async (changing) => {
    const { client, schema, tenant } = changing
    await renewMetadata(parts, client, tenant)
    await holdSchemas(client, { schemas: [schema], lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS })
    await requireSchema(client, schema)
    await requireNoPurge(client, schema)
    await catchUp(parts, changing, migrationsOf({ schema, kind: 'tenant' }))
    await markSchema(client, schema, undefined)
  })
}

async function catchUp(
  { layout, hooks }: LifecycleParts,
  { client, tenant, slug, schema }: ChangingTenant,
  migrations: readonly Migration[],
): Promise<void> {
  const owned = { schema, kind: 'tenant', tenant } as const
  if (bridgeOf(layout, owned) !== undefined) return
  const path = pathOf(layout, schema, 'tenant')
  const itsHooks = unitHooks(hooks, { schema: owned, path, direction: 'up' })
  await migrateNew(client, layout, { schema, slug, migrations, hooks: itsHooks })
}

/** What is required of metadata may be more than when the tenant was deleted. */
async function renewMetadata(
  parts: LifecycleParts,
  client: PoolClient,
  { slug, metadata }: Tenant,
): Promise<void> {
  const valid = await validMetadata(parts, { tenant: slug, metadata })
  if (isDeepStrictEqual(valid, metadata)) return
  await parts.registry.update(client, parseSlug(slug), { metadata: valid })
}

async function requireSchema(client: PoolClient, schema: SchemaName): Promise<void> {
  if (!(await readComments(client, [schema])).has(schema)) throw schemaMissing(schema)
}

/** One that another database serves must not be served here by mistake. */
async function requireHere(client: PoolClient, tenant: Slug, schema: SchemaName): Promise<void> {
  const mark = await markOf(client, schema)
  if (mark?.kind !== 'moved' && mark?.kind !== 'arriving') return
  throw new TenantryError(
    'TENANT_STATUS',
    mark.kind === 'moved'
      ? `Tenant "${tenant}" was moved to another database. Delete it there and call tenants.takeBack() ` +
          'here, which serves what it had at the time of the move.'
      : `A move of tenant "${tenant}" to this database has not ended. Call tenants.move() again where it ` +
          'comes from.',
    { tenant, schema },
  )
}
