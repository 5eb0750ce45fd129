/** Where a tenant stands in its life; only an `active` tenant is served. */
export type TenantStatus = 'provisioning' | 'active' | 'suspended' | 'deleted'

/** Every {@link TenantStatus}, in the order of a tenant's life. */
export const TENANT_STATUSES: readonly TenantStatus[] = [
  'provisioning',
  'active',
  'suspended',
  'deleted',
]

/** One customer: a row of the registry. */
export interface Tenant<Metadata = Record<string, unknown>> {
  /** A UUID that never changes. */
  readonly id: string
  /** The stable key in URLs and in code, for example `acme`. */
  readonly slug: string
  /** The name for people. */
  readonly name: string
  /** The PostgreSQL schema that holds the tenant's data, for example `tenant_acme`. */
  readonly schema: string
  readonly status: TenantStatus
  /** Whatever the service keeps with the tenant. */
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
