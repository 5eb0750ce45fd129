import { parseSlug } from '../names/slug.js'
import type { TenantChanges } from '../registry/registry.js'
import type { Tenant } from '../registry/tenant.js'
import { optionInvalid } from '../support/options.js'
import type { LifecycleParts } from './create/create.js'
import { checkMetadata, validMetadata } from './metadata.js'
import { tenantNotFound } from './not-found.js'

/** Changes what a tenant is called by people, and what the service keeps with it. */
export async function updateTenant(
  parts: LifecycleParts,
  input: string,
  { name, metadata }: TenantChanges<unknown>,
): Promise<Tenant> {
  const { registry, db } = parts
  const slug = parseSlug(input)
  if (name !== undefined && typeof name !== 'string') {
    throw optionInvalid('name', 'Option "name" must be a text.')
  }
  const changes: TenantChanges = {
    ...(name !== undefined && { name }),
    ...(metadata !== undefined && {
      metadata: await validMetadata(parts, { tenant: slug, metadata: checkMetadata(metadata) }),
    }),
  }
  return (await registry.update(db, slug, changes)) ?? tenantNotFound(slug)
}
