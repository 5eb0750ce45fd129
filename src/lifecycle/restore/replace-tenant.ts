import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { pathOf } from '../../migration/layout.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { Queryable } from '../../postgres/queryable.js'
import type { Tenant } from '../../registry/tenant.js'
import { present } from '../../support/present.js'
import type { LifecycleParts } from '../create/create.js'
import { tenantNotFound } from '../not-found.js'
import { renameSchema } from '../rename/rename-schema.js'
import { busy, holdSchemas } from '../schema-lock.js'
import { stampedName } from '../rename/stamped-name.js'
import { atStandstill, schemaMissing } from '../standstill.js'
import { requireStatus } from '../status-change.js'
import type { MakeRestored, RestoreOrder } from './restore-plan.js'

/** What became of the tenant. */
export interface Replaced {
  readonly tenant: Tenant
  /** The schema that it had, if that was still there. */
  readonly former?: SchemaName
}

interface Replacement {
  readonly parts: LifecycleParts
  readonly plan: RestoreOrder
  readonly make: MakeRestored
  readonly schema: SchemaName
}

/**
 * Puts an archive in the place of a tenant that exists, in one transaction: its schema gets another
 * name, and the archive's is made under the former one. A schema that somebody has dropped is made
 * again.
 *
 * Nobody sees that before the commit, so the tenant is served from its former rows until then, and
 * migrations and other changes of it wait. Only at the end its scopes wait too, for a moment.
 *
 * @throws `TENANT_NOT_FOUND`, `TENANT_EXISTS`, `TENANT_STATUS`, `TENANT_BUSY`, `RESTORE_DIFFERS`
 */
export async function replaceTenant(
  parts: LifecycleParts,
  plan: RestoreOrder,
  make: MakeRestored,
): Promise<Replaced> {
  const { db, registry } = parts
  const before = (await registry.findBySlug(db, plan.slug)) ?? tenantNotFound(plan.slug)
  requireMeant(plan, before)
  const replacement = { parts, plan, make, schema: parseSchemaName(before.schema) }
  const isThere = await schemaExists(db, replacement.schema)
  return isThere ? replaceSchema(replacement) : remakeSchema(replacement)
}

async function schemaExists(db: Queryable, schema: SchemaName): Promise<boolean> {
  const { rows } = await db.query('select from pg_catalog.pg_namespace where nspname = $1', [
    schema,
  ])
  return rows.length > 0
}

async function replaceSchema(replacement: Replacement): Promise<Replaced> {
  const { parts, plan, schema } = replacement
  const { lockTimeoutMs } = plan
  const former = stampedName(schema, 'replaced', new Date())
  const tenants: Tenant[] = []
  const prepare = async (client: PoolClient): Promise<SchemaName> => {
    const tenant = await meantTenant(client, replacement)
    await renameSchema(client, { from: schema, to: former })
    await makeFor(client, tenant, replacement, [former])
    tenants.push(tenant)
    return former
  }
  const standstill = { schema, also: former, lockTimeoutMs, prepare }
  return atStandstill(parts.db, standstill, async () => ({ tenant: present(tenants[0]), former }))
}

/** Where there is no schema, there is nobody to wait for but who would make it as well. */
async function remakeSchema(replacement: Replacement): Promise<Replaced> {
  const { parts, plan, schema } = replacement
  const { lockTimeoutMs } = plan
  return parts.db.transaction(async (client) => {
    await holdSchemas(client, { schemas: [schema], lockTimeoutMs })
    // Another restore has been quicker.
    if (await schemaExists(client, schema)) throw busy(schema)
    const tenant = await meantTenant(client, replacement)
    await makeFor(client, tenant, replacement)
    return { tenant }
  })
}

/** The tenant, which may have been changed since it was looked at. */
async function meantTenant(
  client: PoolClient,
  { parts, plan, schema }: Replacement,
): Promise<Tenant> {
  const { slug } = plan
  const tenant = (await parts.registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
  requireMeant(plan, tenant)
  if (tenant.schema !== schema) throw schemaMissing(schema)
  return tenant
}

async function makeFor(
  client: PoolClient,
  tenant: Tenant,
  { parts, make, schema }: Replacement,
  locked: readonly SchemaName[] = [],
): Promise<void> {
  const path = pathOf(parts.layout, schema, 'tenant')
  await make({ client, tenant, path }, { schema, locked })
  await announce(client, parts.registry.channel, tenant.slug)
}

/** The row stays as it is, but what other processes remember is bound to the former schema. */
async function announce(
  client: PoolClient,
  channel: string | undefined,
  slug: string,
): Promise<void> {
  if (channel !== undefined) await client.query('select pg_notify($1, $2)', [channel, slug])
}

/** An archive over another customer's data is the worst that can happen. */
function requireMeant({ archive, isNamed }: RestoreOrder, tenant: Tenant): void {
  requireStatus(tenant, 'restore')
  if (isNamed || tenant.id === archive.header.tenant.id) return
  throw new TenantryError(
    'TENANT_EXISTS',
    `Tenant "${tenant.slug}" is not the one that was backed up: another one has the slug by now, or ` +
      `it was created again. Nothing was changed. If you mean it, say so by { as: '${tenant.slug}', ` +
      'replace: true }.',
    { tenant: tenant.slug, schema: tenant.schema },
  )
}
