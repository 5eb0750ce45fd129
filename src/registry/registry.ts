import type { DomainName, HostName } from '../names/domain-name.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Slug } from '../names/slug.js'
import type { Queryable } from '../postgres/queryable.js'
import type { Domain, Tenant, TenantStatus } from './tenant.js'

/** What a registry is told about a tenant that is being created. */
export interface NewTenant {
  readonly slug: Slug
  readonly name: string
  readonly schema: SchemaName
  readonly metadata: Record<string, unknown>
}

/** Which tenants to list. */
export interface TenantFilter {
  /** @defaultValue every status but `deleted` */
  readonly status?: TenantStatus | readonly TenantStatus[]
}

/** A domain with the tenant that it leads to. */
export interface DomainMatch {
  readonly domain: Domain
  readonly tenant: Tenant
}

/**
 * Where tenants and their domains are kept.
 *
 * Every call gets the connection to run on, so that a registry takes part in the caller's
 * transaction.
 */
export interface TenantRegistry {
  /** Makes what the registry needs in the database; does nothing where it is already there. */
  install(db: Queryable): Promise<void>
  findBySlug(db: Queryable, slug: Slug): Promise<Tenant | undefined>
  /** Tenants by slug, in the order of their schemas' names. */
  list(db: Queryable, filter?: TenantFilter): Promise<readonly Tenant[]>
  /** @throws `TENANT_EXISTS` when the slug or the schema is taken. */
  insert(db: Queryable, tenant: NewTenant): Promise<Tenant>
  setStatus(db: Queryable, slug: Slug, status: TenantStatus): Promise<Tenant | undefined>
  /** @throws `DOMAIN_TAKEN` */
  addDomain(db: Queryable, slug: Slug, domain: DomainName, primary: boolean): Promise<Domain>
  domainsOf(db: Queryable, slug: Slug): Promise<readonly Domain[]>
  /** Those of the given domains that lead to a tenant, in one query. */
  tenantsOfDomains(db: Queryable, domains: readonly DomainName[]): Promise<readonly DomainMatch[]>
  /** Every domain of a host, whatever its path. */
  domainsOfHost(db: Queryable, host: HostName): Promise<readonly DomainMatch[]>
}
