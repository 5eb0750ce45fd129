/** Where a tenant stands in its life; only an `active` tenant is served. */
export type TenantStatus = 'provisioning' | 'active' | 'suspended' | 'deleted'

/** Every {@link TenantStatus}, in the order of a tenant's life. */
export const TENANT_STATUSES: readonly TenantStatus[] = [
  'provisioning',
  'active',
  'suspended',
  'deleted',
]

/** What a service keeps with its tenants, where it does not say more about it. */
export type TenantMetadata = Record<string, unknown>

/** A tenant, or the slug of one. */
export type TenantOrSlug = string | Tenant<object>

/** One customer: a row of the registry. */
export interface Tenant<Metadata = TenantMetadata> {
  /** A UUID that never changes. */
  readonly id: string
  /** The stable key in URLs and in code, for example `acme`. */
  readonly slug: string
  /** The name for people. */
  readonly name: string
  /** The PostgreSQL schema that holds the tenant's data, for example `tenant_acme`. */
  readonly schema: string
  readonly status: TenantStatus
  /** Whatever the service keeps with the tenant; what was read is not validated. */
  readonly metadata: Metadata
  readonly createdAt: Date
}

/** A host name, optionally with a path prefix, that leads to a tenant. */
export interface Domain {
  /** Slug of the tenant. */
  readonly tenant: string
  readonly host: string
  /** Begins with `/`; empty when the whole host is the tenant's. */
  readonly path: string
  /** One domain per tenant is the primary one. */
  readonly primary: boolean
  /** One that is not verified leads nowhere yet. */
  readonly verified: boolean
}

/** Says to the compiler what the service keeps with a tenant; nothing that is read is validated. */
export function typed<Metadata extends object = TenantMetadata>(
  tenant: Tenant<object>,
): Tenant<Metadata> {
  return tenant as Tenant<Metadata>
}
