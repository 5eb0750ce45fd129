import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { Slug } from '../../names/slug.js'
import { lockKey, lockTransaction } from '../../postgres/advisory-lock.js'
import type { Tenant } from '../../registry/tenant.js'
import { repairRoutinePaths } from '../rename/name-in-text.js'
import { stampedName } from '../rename/stamped-name.js'
import type { LifecycleParts } from '../create/create.js'
import { tenantNotFound } from '../not-found.js'
import { renameSchema } from '../rename/rename-schema.js'
import { holdSchemas } from '../schema-lock.js'
import { markOf, markSchema, requireNoPurge } from '../schema-mark.js'
import { atStandstill, schemaMissing } from '../standstill.js'
import { requireUnmoved } from '../unmoved.js'
import { type MoveSource, parkedIn, parkedMark } from './source.js'

/** How a tenant is stopped. */
interface Parking {
  readonly slug: Slug
  /** The id that the tenant has in the other database. */
  readonly there: string
  readonly lockTimeoutMs: number
  /** Compares what is to stop with its copy, while its schema has the name that texts know. */
  readonly compare: (client: PoolClient) => Promise<void>
}

/**
 * Stops a tenant, once no transaction of a scope is open: it is suspended, and its schema gets another
 * name. A status alone would not do, because other processes remember it for a while; a scope that
 * has the former name in mind finds no schema.
 *
 * @throws what `compare` throws, `TENANT_BUSY`, `TENANT_STATUS`, `SCHEMA_MISSING`; then nothing was changed
 */
export async function parkTenant(
  parts: LifecycleParts,
  { tenant: found, schema }: MoveSource,
  { slug, there, lockTimeoutMs, compare }: Parking,
): Promise<Tenant> {
  const { db, registry, lookUps } = parts
  const parked = stampedName(schema, 'moved', new Date())
  const standstill = { schema, also: parked, lockTimeoutMs }
  const tenant = await atStandstill(db, standstill, async (client) => {
    const now = await requireUnmoved(registry, client, { slug, schema, change: 'move' })
    if (now.id !== found.id) throw schemaMissing(schema)
    await requireNoPurge(client, schema)
    await compare(client)
    const renaming = { from: schema, to: parked }
    await renameSchema(client, renaming)
    await repairRoutinePaths(client, renaming)
    await markSchema(client, parked, parkedMark({ status: now.status, former: schema, there }))
    await registry.rename(client, slug, { schema: parked })
    return (await registry.setStatus(client, slug, 'suspended')) ?? tenantNotFound(slug)
  })
  lookUps.forgetTenant(slug)
  return tenant
}

/**
 * Serves a tenant again that was moved, from the rows that it had then. See `Tenants.takeBack`.
 *
 * @throws `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_BUSY`, `SCHEMA_EXISTS`
 */
export async function unparkTenant({ db, registry }: LifecycleParts, slug: Slug): Promise<Tenant> {
  return db.transaction(async (client) => {
    await lockTransaction(client, lockKey('tenant', slug))
    const tenant = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
    const schema = parseSchemaName(tenant.schema)
    const parked = parkedIn(await markOf(client, schema))
    if (parked === undefined) throw notMoved(slug, schema)
    const { former, status } = parked
    const lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS
    await holdSchemas(client, { schemas: [schema, former], lockTimeoutMs })
    const renaming = { from: schema, to: former }
    await renameSchema(client, renaming)
    await repairRoutinePaths(client, renaming)
    await markSchema(client, former, undefined)
    await registry.rename(client, slug, { schema: former })
    return (await registry.setStatus(client, slug, status)) ?? tenantNotFound(slug)
  })
}

function notMoved(tenant: Slug, schema: SchemaName): TenantryError {
  return new TenantryError(
    'TENANT_STATUS',
    `Tenant "${tenant}" was not moved to another database, so there is nothing to take back. ` +
      'Call tenants.activate() for a suspended tenant, or tenants.undelete() for a deleted one.',
    { tenant, schema },
  )
}
