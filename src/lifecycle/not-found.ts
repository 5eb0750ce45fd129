import { TenantryError } from '../errors.js'

/** The error for a slug that nobody has. */
export function tenantNotFound(slug: string): never {
  throw new TenantryError(
    'TENANT_NOT_FOUND',
    `No tenant has the slug ${JSON.stringify(slug)}. Create it with router.tenants.create(), ` +
      'or correct the slug.',
    { tenant: slug },
  )
}
