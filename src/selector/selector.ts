import type { SchemaName } from '../names/schema-name.js'
import type { Tenant, TenantMetadata, TenantStatus } from '../registry/tenant.js'

/** Plain data that names a set of schemas; made by {@link select}. */
export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'shared' }
  | { readonly kind: 'static' }
  | ({ readonly kind: 'tenants' } & TenantsFilter)
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'matching'; readonly glob: string }
  | { readonly kind: 'behind' }
  | { readonly kind: 'union'; readonly of: readonly Selector[] }
  | { readonly kind: 'intersect'; readonly of: readonly Selector[] }

/** Which tenants {@link select} takes; all of them where nothing is said. */
export interface TenantsFilter<Metadata = TenantMetadata> {
  readonly status?: readonly TenantStatus[]
  /** What a tenant's metadata must hold: objects by their keys, other values as equals. */
  readonly metadata?: PartOf<Metadata>
}

/** Some of what an object holds, and so on inside of it. */
export type PartOf<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: PartOf<T[Key]> }
    : T

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
  /** The tenants' schemas, all of them or those of a status, or with something in their metadata. */
  tenants: <Metadata extends object = TenantMetadata>(
    filter: TenantsFilter<Metadata> = {},
  ): Selector => ({ kind: 'tenants', ...filter }),
  /** Schemas by exact name, tenants by slug, or either by domain. */
  names: (...names: readonly string[]): Selector => ({ kind: 'names', names }),
  /** Schemas whose name or slug matches a glob: `*` stands for any characters, `?` for one. */
  matching: (glob: string): Selector => ({ kind: 'matching', glob }),
  /** Schemas that have pending migrations. */
  behind: (): Selector => ({ kind: 'behind' }),
  /** What any of the selectors names; each schema once. */
  union: (...of: readonly Selector[]): Selector => ({ kind: 'union', of }),
  /** What all of the selectors name. */
  intersect: (...of: readonly Selector[]): Selector => ({ kind: 'intersect', of }),
} as const

/** The kinds of schema, in the order in which a run takes them. */
export const SCHEMA_KINDS = ['shared', 'static', 'tenant'] as const

/** What a schema is for. */
export type SchemaKind = (typeof SCHEMA_KINDS)[number]

/** One schema that a selector can name. */
export interface FleetSchema<Metadata = TenantMetadata> {
  readonly schema: SchemaName
  readonly kind: SchemaKind
  /** The owner of a tenant's schema. */
  readonly tenant?: Tenant<Metadata>
  /** It is kept ready for a tenant that is still to come; no selector names it. */
  readonly spare?: true
}
