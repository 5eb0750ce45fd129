import { isSlug } from '../../names/slug.js'
import type { RequestAddress, RequestHeaders } from '../../router/request-address.js'
import type { Destination } from '../../router/request-resolver.js'
import type { Domain, Tenant, TenantMetadata, TenantOrSlug } from '../../registry/tenant.js'

/** What an adapter needs of a router; a `SchemaRouter` has it. */
export interface ServingRouter<Metadata extends object = TenantMetadata> {
  resolve(request: RequestAddress): Promise<Destination<Metadata> | undefined>
  runAs<R>(tenant: TenantOrSlug, fn: () => R | Promise<R>): Promise<R>
  withSchema<R>(name: string, fn: () => R | Promise<R>): Promise<R>
  whoWill(selector: { readonly kind: 'shared' }): Promise<readonly string[]>
  readonly tenants: { find(slug: string): Promise<Tenant<Metadata> | undefined> }
}

/** A request as every framework can show it. */
export interface AskedRequest<Request = unknown> {
  /** The framework's own request, or its context. */
  readonly request: Request
  /** In capital letters. */
  readonly method: string
  /** Path and query; begins with `/`. */
  readonly url: string
  readonly headers: RequestHeaders
}

/** Where a request leads, or that it does not say so. */
export type Found =
  | {
      readonly kind: 'tenant'
      readonly tenant: Tenant<object>
      /** The beginning of the path that belongs to the tenant's address, such as `/beta`. */
      readonly prefix?: string
      /** The tenant's primary domain, if the request came by another one. */
      readonly redirect?: Domain
    }
  | { readonly kind: 'static'; readonly schema: string }
  /** The request names a tenant that does not exist: it is never served as anybody else. */
  | { readonly kind: 'unknown' }
  /** What the request has in the tenant's place cannot be one: it is never served, either. */
  | { readonly kind: 'malformed' }
  /** The request names no tenant. Of a host it is known that it leads nowhere. */
  | { readonly kind: 'none'; readonly isUnknownHost?: boolean }

/**
 * Finds the tenant of a request: one of the resolvers, or a function of yours.
 *
 * Yours returns a slug, a tenant, or nothing where the request names none.
 *
 * @example
 * import type { FindTenant } from 'tenantry/express'
 *
 * const byQuery: FindTenant = ({ url }) =>
 *   new URL(url, 'http://localhost').searchParams.get('tenant')
 */
export type FindTenant<Request = unknown> = (
  asked: AskedRequest<Request>,
  router: ServingRouter<object>,
) => FoundWord | Promise<FoundWord>

/** What a {@link FindTenant} may answer with. */
export type FoundWord = TenantOrSlug | Found | null | undefined

/** Asks a resolver, and the registry about what it answers. */
export async function findWith<Request>(
  find: FindTenant<Request>,
  asked: AskedRequest<Request>,
  router: ServingRouter<object>,
): Promise<Found> {
  const answer = await find(asked, router)
  if (answer === undefined || answer === null || answer === '') return { kind: 'none' }
  if (typeof answer === 'string') return byWord(answer, router)
  // A tenant that was handed around may be stale: the registry's word on it counts.
  return 'kind' in answer ? answer : bySlug(answer.slug, router)
}

/** The tenant for a word of the request that may be no slug at all. */
export function byWord(word: string, router: ServingRouter<object>): Found | Promise<Found> {
  return isSlug(word) ? bySlug(word, router) : { kind: 'malformed' }
}

/** The tenant with a slug that a request names, with the part of the path that named it. */
export async function bySlug(
  slug: string,
  router: ServingRouter<object>,
  prefix = '',
): Promise<Found> {
  const tenant = await router.tenants.find(slug)
  return tenant === undefined ? { kind: 'unknown' } : { kind: 'tenant', tenant, prefix }
}
