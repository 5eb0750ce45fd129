import type { SchemaName } from '../names/schema-name.js'
import type { Tenant, TenantStatus } from '../registry/tenant.js'

/** Plain data that names a set of schemas; made by {@link select}. */
export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'shared' }
  | { readonly kind: 'static' }
  | { readonly kind: 'tenants'; readonly status?: readonly TenantStatus[] }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'union'; readonly of: readonly Selector[] }

/**
 * Makes selectors.
 *
 * @example
 * import { select, type SchemaRouter } from 'tenantry'
 *
 * const everyTenantButOne = (router: SchemaRouter) =>
 *   router.migrations.up({ select: select.tenants(), exclude: ['tenant_demo'] })
 */
export const select = {
  /** Every schema: shared, static and tenants. */
  all: (): Selector => ({ kind: 'all' }),
  /** The shared schema only. */
  shared: (): Selector => ({ kind: 'shared' }),
  /** The static schemas. */
  static: (): Selector => ({ kind: 'static' }),
  /** The tenants' schemas, of every status or of those given. */
  tenants: (filter: { readonly status?: readonly TenantStatus[] } = {}): Selector => ({
    kind: 'tenants',
    ...filter,
  }),
  /** Schemas by exact name, or tenants by slug. */
  names: (...names: readonly string[]): Selector => ({ kind: 'names', names }),
  /** What any of the selectors names; each schema once. */
  union: (...of: readonly Selector[]): Selector => ({ kind: 'union', of }),
} as const

/** The kinds of schema, in the order in which a run takes them. */
export const SCHEMA_KINDS = ['shared', 'static', 'tenant'] as const

/** What a schema is for. */
export type SchemaKind = (typeof SCHEMA_KINDS)[number]

/** One schema that a selector can name. */
export interface FleetSchema {
  readonly schema: SchemaName
  readonly kind: SchemaKind
  /** The owner of a tenant's schema. */
  readonly tenant?: Tenant
}
