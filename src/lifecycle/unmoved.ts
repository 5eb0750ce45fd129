import type { Queryable } from '../postgres/queryable.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Slug } from '../names/slug.js'
import type { TenantRegistry } from '../registry/registry.js'
import type { Tenant } from '../registry/tenant.js'
import { tenantNotFound } from './not-found.js'
import { schemaMissing } from './standstill.js'
import { type StatusChange, requireStatus } from './status-change.js'

/** A tenant as it was looked up before the transaction that works on it. */
export interface LookedUp {
  readonly slug: Slug
  readonly schema: SchemaName
}

/**
 * Looks a tenant up once more: it may have been renamed or deleted before the transaction has locked
 * its schema.
 *
 * @throws `TENANT_NOT_FOUND`, `TENANT_STATUS`, `SCHEMA_MISSING`
 */
export async function requireUnmoved(
  registry: TenantRegistry,
  db: Queryable,
  { slug, schema, change }: LookedUp & { readonly change: StatusChange },
): Promise<Tenant> {
  const now = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireStatus(now, change)
  if (now.schema !== schema) throw schemaMissing(schema)
  return now
}
