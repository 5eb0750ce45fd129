import { TenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Tenant } from '../registry/tenant.js'

/** The error for a tenant whose scopes are refused. */
export function notServed({ slug, schema, status }: Tenant): TenantryError {
  return new TenantryError(
    'TENANT_SUSPENDED',
    `Tenant "${slug}" is ${status}, so it is not served. ` +
      'Call router.tenants.activate() to serve it again.',
    { tenant: slug, schema },
  )
}

/** The error for a schema that is not configured. */
export function unknownSchema(schema: SchemaName): TenantryError {
  return new TenantryError(
    'OPTIONS_INVALID',
    `Schema "${schema}" is neither the shared schema nor a static one. ` +
      'Name it under schemas.static, or use withTenant() for a tenant.',
    { schema, option: 'schemas.static' },
  )
}
