import { type DomainName, normaliseHost } from '../names/domain-name.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'
import type { Domain, Tenant } from '../registry/tenant.js'
import type { ResolvedOptions } from './options.js'

/** What of a request says where it leads. */
export interface RequestAddress {
  /** The `Host` header, with or without a port. */
  readonly host: string
  /** The path of the URL. @defaultValue `'/'` */
  readonly path?: string
}

/** Where a request leads. */
export type Destination =
  | { readonly kind: 'tenant'; readonly tenant: Tenant; readonly domain: Domain }
  | { readonly kind: 'static'; readonly schema: string }

interface Candidate {
  readonly path: string
  readonly destination: Destination
}

/** Finds the tenant or static schema of a request; the longest path prefix wins. */
export async function resolveRequest(
  db: Queryable,
  { registry, staticDomains }: ResolvedOptions,
  request: RequestAddress,
): Promise<Destination | undefined> {
  const host = normaliseHost(request.host)
  if (host === undefined) return undefined
  const fixed = staticDomains.filter(({ domain }) => domain.host === host).map(staticCandidate)
  const { tenants, domains } = await registry.lookUp(db, { slugs: [], hosts: [host] })
  const bySlug = new Map(tenants.map((tenant) => [tenant.slug, tenant]))
  const candidates = domains.flatMap((domain) => {
    const tenant = bySlug.get(domain.tenant)
    if (tenant === undefined || domain.host !== host || !domain.verified) return []
    return [{ path: domain.path, destination: { kind: 'tenant' as const, tenant, domain } }]
  })
  return longestMatch([...fixed, ...candidates], request.path ?? '/')?.destination
}

function staticCandidate(entry: { schema: SchemaName; domain: DomainName }): Candidate {
  return { path: entry.domain.path, destination: { kind: 'static', schema: entry.schema } }
}

function longestMatch(candidates: readonly Candidate[], path: string): Candidate | undefined {
  return candidates
    .filter((candidate) => covers(candidate.path, path))
    .toSorted((a, b) => b.path.length - a.path.length)[0]
}

/** `/beta` covers `/beta`, `/beta/loans` and `/beta?page=2`, but not `/betamax`. */
function covers(prefix: string, path: string): boolean {
  if (prefix === '') return true
  return path.startsWith(prefix) && ['', '/', '?', '#'].includes(path.charAt(prefix.length))
}
