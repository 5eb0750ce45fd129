import { TenantryError } from '../../errors.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create/create.js'
import { deleteTenant } from '../delete.js'
import { purgeTenant } from '../purge/purge.js'
import { markOf } from '../schema-mark.js'
import type { MoveSource } from './source.js'

/** The tenant in the database that it is moved to. */
export interface Arrival {
  readonly tenant: Tenant
  readonly schema: SchemaName
  /** Whether it is served from there. */
  readonly isServed: boolean
}

/**
 * What an earlier move of the tenant has left in the other database, if anything.
 *
 * @throws `TENANT_EXISTS` for another tenant of that slug
 */
export async function findArrival(
  { registry, db }: LifecycleParts,
  source: MoveSource,
): Promise<Arrival | undefined> {
  const tenant = await registry.findBySlug(db, parseSlug(source.tenant.slug))
  if (tenant === undefined) return undefined
  const schema = parseSchemaName(tenant.schema)
  const mark = await markOf(db, schema)
  const isArriving = mark?.kind === 'arriving' && mark.notes?.[0] === source.tenant.id
  if (isArriving) return { tenant, schema, isServed: false }
  if (source.parked?.there === tenant.id) return { tenant, schema, isServed: true }
  throw new TenantryError(
    'TENANT_EXISTS',
    `The other database has a tenant "${tenant.slug}" already, which is not the one that is moved. ` +
      'Nothing was changed. Rename one of them, or delete and purge the other one.',
    { tenant: tenant.slug, schema },
  )
}

/** Takes away a copy that has never been served; nobody has to hear of it. */
export async function removeArrival(given: LifecycleParts, { tenant }: Arrival): Promise<void> {
  const parts = { ...given, hooks: {} }
  const slug: Slug = parseSlug(tenant.slug)
  await deleteTenant(parts, slug)
  await purgeTenant(parts, slug, { confirm: slug, lockTimeout: DEFAULT_LOCK_TIMEOUT_MS })
}
