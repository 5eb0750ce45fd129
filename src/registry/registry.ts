import type { DomainName, HostName } from '../names/domain-name.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Slug } from '../names/slug.js'
import type { Queryable } from '../postgres/queryable.js'
import type { Domain, Tenant, TenantMetadata, TenantStatus } from './tenant.js'

/** What a registry is told about a tenant that is being created. */
export interface NewTenant<Metadata = TenantMetadata> {
  readonly slug: Slug
  readonly name: string
  readonly schema: SchemaName
  readonly metadata: Metadata
}

/** What of a tenant is to be different; what is left out stays. */
export interface TenantChanges<Metadata = TenantMetadata> {
  readonly name?: string
  /** Takes the place of all of the former metadata. */
  readonly metadata?: Metadata
}

/** The names by which a tenant is to be known; what is left out stays. */
export interface TenantNames {
  readonly slug?: Slug
  readonly schema?: SchemaName
}

/** A domain that is being added. */
export interface NewDomain extends DomainName {
  readonly primary: boolean
  /** One that is not verified leads nowhere yet. */
  readonly verified: boolean
}

/** Which tenants to list. */
export interface TenantFilter {
  /** @defaultValue every status but `deleted` */
  readonly status?: TenantStatus | readonly TenantStatus[]
}

/** What requests wait for. */
export interface LookUpQuestion {
  readonly slugs: readonly Slug[]
  readonly hosts: readonly HostName[]
}

/** What a registry knows of the slugs and hosts that it was asked for. */
export interface LookUpAnswer<Metadata = TenantMetadata> {
  /** The tenants of the slugs, and those to whom a domain of the hosts leads. */
  readonly tenants: readonly Tenant<Metadata>[]
  /** The verified domains of the hosts, whatever their path, and those tenants' primary ones. */
  readonly domains: readonly Domain[]
}

/** A domain, whose tenant may be gone. */
export interface ListedDomain extends Omit<Domain, 'tenant'> {
  readonly tenant: string | undefined
}

/**
 * Where tenants and their domains are kept.
 *
 * Every call gets the connection to run on, so that a registry takes part in the caller's
 * transaction.
 */
export interface TenantRegistry<Metadata = TenantMetadata> {
  /**
   * The channel on which every write is announced, by NOTIFY in the transaction of the write.
   * Without one, nobody remembers what the registry said for longer than a second.
   */
  readonly channel?: string
  /**
   * The tables of the service that it keeps tenants in, quoted and with their schemas, such as
   * `"public"."customers"`. A backup of their schema leaves their rows to those of the tenants.
   */
  readonly tables?: readonly string[]
  /**
   * Makes what the registry needs in the database, or brings it up to date; writes nothing where it
   * is current. Many processes may call it at once.
   */
  install(db: Queryable): Promise<void>
  findBySlug(db: Queryable, slug: Slug): Promise<Tenant<Metadata> | undefined>
  /** Answers for many requests in one query. */
  lookUp(db: Queryable, question: LookUpQuestion): Promise<LookUpAnswer<Metadata>>
  /** Tenants in the order of their schemas' names. */
  list(db: Queryable, filter?: TenantFilter): Promise<readonly Tenant<Metadata>[]>
  /** @throws `TENANT_EXISTS` when the slug or the schema is taken. */
  insert(db: Queryable, tenant: NewTenant<Metadata>): Promise<Tenant<Metadata>>
  /** @returns `undefined` when nobody has the slug; that holds for the other writes as well. */
  update(
    db: Queryable,
    slug: Slug,
    changes: TenantChanges<Metadata>,
  ): Promise<Tenant<Metadata> | undefined>
  /**
   * Changes the row alone; the schema itself is renamed by the caller.
   *
   * @throws `TENANT_EXISTS` when the new slug or schema is taken.
   */
  rename(db: Queryable, slug: Slug, names: TenantNames): Promise<Tenant<Metadata> | undefined>
  setStatus(db: Queryable, slug: Slug, status: TenantStatus): Promise<Tenant<Metadata> | undefined>
  /**
   * Removes the tenant's row and its domains.
   *
   * @returns whether there was one.
   */
  remove(db: Queryable, slug: Slug): Promise<boolean>

  /** @throws `DOMAIN_TAKEN` when it is verified for some tenant already, or this tenant has it. */
  addDomain(db: Queryable, slug: Slug, domain: NewDomain): Promise<Domain | undefined>
  /** @returns whether the tenant had it. */
  removeDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<boolean>
  /**
   * Makes one of a tenant's domains its primary one, instead of the former.
   *
   * @returns whether the tenant has the domain.
   */
  setPrimaryDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<boolean>
  /**
   * Lets a domain lead to its tenant.
   *
   * @returns `undefined` when the tenant has no such domain.
   * @throws `DOMAIN_TAKEN` when it was verified for another tenant meanwhile.
   */
  verifyDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<Domain | undefined>
  /** A tenant's domains, the primary one first, and then by name. */
  domainsOf(db: Queryable, slug: Slug): Promise<readonly Domain[]>
  /** All domains, in the order of their names, for an audit; without it, it says nothing of them. */
  listDomains?(db: Queryable): Promise<readonly ListedDomain[]>
}
