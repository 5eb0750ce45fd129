import { randomUUID } from 'node:crypto'
import type { DomainName } from '../../names/domain-name.js'
import type { NewDomain, NewTenant } from '../../registry/registry.js'
import type { Domain, Tenant } from '../../registry/tenant.js'

/** What a registry in memory knows. */
export interface MemoryState {
  readonly tenants: readonly Tenant[]
  readonly domains: readonly OwnedDomain[]
}

/** A domain by its tenant's id, which outlives a rename. */
export interface OwnedDomain extends Omit<Domain, 'tenant'> {
  readonly owner: string
}

/** A registry in which nobody is. */
export const NOBODY: MemoryState = { tenants: [], domains: [] }

/** What would come back from a column of JSON: nobody else has it, and a date is a text. */
function asJson(metadata: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(metadata)) as Record<string, unknown>
}

/** A new tenant's row. */
export function rowOf({ slug, name, schema, metadata }: NewTenant): Tenant {
  return {
    id: randomUUID(),
    slug,
    name,
    schema,
    status: 'active',
    metadata: asJson(metadata),
    createdAt: new Date(),
  }
}

/** A row that a caller may do with what it likes. */
export function copyOf(tenant: Tenant): Tenant {
  return { ...tenant, metadata: asJson(tenant.metadata), createdAt: new Date(tenant.createdAt) }
}

/** The row with a slug. */
export function tenantIn({ tenants }: MemoryState, slug: string): Tenant | undefined {
  return tenants.find((tenant) => tenant.slug === slug)
}

/** The row of a new domain. */
export function domainRowOf(
  owner: Tenant,
  { host, path, primary, verified }: NewDomain,
): OwnedDomain {
  return { owner: owner.id, host, path, primary, verified }
}

/** A domain by its tenant's slug. */
export function domainOf({ slug }: Tenant, { host, path, primary, verified }: OwnedDomain): Domain {
  return { tenant: slug, host, path, primary, verified }
}

/** The domains of a tenant, the primary one first, and then by name. */
export function domainsIn({ domains }: MemoryState, { id }: Tenant): readonly OwnedDomain[] {
  return domains
    .filter(({ owner }) => owner === id)
    .toSorted(
      (a, b) =>
        Number(b.primary) - Number(a.primary) || order(a.host, b.host) || order(a.path, b.path),
    )
}

/** Whether two names are the same domain. */
export function isSame(a: Pick<Domain, 'host' | 'path'>, b: DomainName): boolean {
  return a.host === b.host && a.path === b.path
}

/** The order of texts by their characters' codes. */
export function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Adds a tenant. */
export function withTenant(state: MemoryState, tenant: Tenant): MemoryState {
  return { ...state, tenants: [...state.tenants, tenant] }
}

/** Changes something of a tenant. */
export function patchTenant(state: MemoryState, id: string, patch: Partial<Tenant>): MemoryState {
  const { metadata } = patch
  const change = { ...patch, ...(metadata && { metadata: asJson(metadata) }) }
  const tenants = state.tenants.map((each) => (each.id === id ? { ...each, ...change } : each))
  return { ...state, tenants }
}

/** Removes a tenant and its domains. */
export function withoutTenant({ tenants, domains }: MemoryState, id: string): MemoryState {
  return {
    tenants: tenants.filter((tenant) => tenant.id !== id),
    domains: domains.filter(({ owner }) => owner !== id),
  }
}

/** Replaces the domains of a tenant. */
export function mapDomains(
  state: MemoryState,
  { id }: Tenant,
  map: (domain: OwnedDomain) => readonly OwnedDomain[],
): MemoryState {
  const domains = state.domains.flatMap((each) => (each.owner === id ? map(each) : [each]))
  return { ...state, domains }
}
