import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { pathOf } from '../../migration/layout.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { Tenant } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create.js'
import { tenantNotFound } from '../not-found.js'
import { renameSchema } from '../rename-schema.js'
import { stampedName } from '../stamped-name.js'
import { atStandstill, schemaMissing } from '../standstill.js'
import { requireStatus } from '../status-change.js'
import type { MakeRestored, RestoreOrder } from './restore-plan.js'

/**
 * Puts an archive in the place of a tenant that exists, in one transaction: its schema gets another
 * name, and the archive's is made under the former one.
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
): Promise<{ readonly tenant: Tenant; readonly former: SchemaName }> {
  const { db, registry, layout } = parts
  const { slug, lockTimeoutMs } = plan
  const before = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireMeant(plan, before)
  const schema = parseSchemaName(before.schema)
  const former = stampedName(schema, 'replaced', new Date())
  const tenants: Tenant[] = []
  const standstill = {
    schema,
    also: former,
    lockTimeoutMs,
    prepare: async (client: PoolClient) => {
      const tenant = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
      requireMeant(plan, tenant)
      if (tenant.schema !== schema) throw schemaMissing(schema)
      await renameSchema(client, { from: schema, to: former })
      const path = pathOf(layout, schema, 'tenant')
      await make({ client, tenant, path }, { schema, locked: [former] })
      await announce(client, registry.channel, slug)
      tenants.push(tenant)
      return former
    },
  }
  return atStandstill(db, standstill, async () => {
    const [tenant = before] = tenants
    return { tenant, former }
  })
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
