import { parseHost } from '../../names/domain-name.js'
import { requestHost, slugOfHost } from '../../names/domain-rules.js'
import { isSlug } from '../../names/slug.js'
import { hostTextOf } from '../../router/request-address.js'
import { flag, listOf, optionInvalid, refuseUnknown } from '../../support/options.js'
import { type FindTenant, bySlug } from './found.js'

/**
 * Finds the tenant by the request's host and path, as `router.resolve` does: its domains, with or
 * without a path prefix, and the sub-domains of `domains.base`. A static schema's domain leads to it.
 *
 * This is what an adapter does unless you say otherwise.
 *
 * @example
 * import { SchemaRouter } from 'tenantry'
 * import { byHost, serveTenants } from 'tenantry/express'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * export const middleware = serveTenants(router, { tenant: byHost() })
 */
export function byHost(): FindTenant {
  return async ({ headers, url }, router) => {
    const found = await router.resolve({ headers, path: url })
    if (found === undefined) return { kind: 'none', isUnknownHost: hasHost(headers) }
    if (found.kind === 'static') return found
    const { tenant, domain, redirect } = found
    return { kind: 'tenant', tenant, prefix: domain.path, ...(redirect && { redirect }) }
  }
}

function hasHost(headers: Parameters<typeof hostTextOf>[0]['headers']): boolean {
  return requestHost(hostTextOf({ headers }, false), PLAIN) !== undefined
}

const PLAIN = { bases: [], ignoreWww: false }

/** Where {@link bySubdomain} looks. */
export interface SubdomainOptions {
  /** The host, or several, below which each tenant's slug is the sub-domain, such as `example.com`. */
  readonly base: string | readonly string[]
  /**
   * Takes the host from `x-forwarded-host`. Only behind a proxy that sets it: anybody else can name
   * any host there.
   *
   * @defaultValue `false`
   */
  readonly trustForwardedHost?: boolean
}

/**
 * Finds the tenant by its slug in the host: `acme.example.com`. Hosts that are not one label below
 * the base name no tenant.
 *
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`
 * @example
 * import { bySubdomain } from 'tenantry/express'
 *
 * export const tenant = bySubdomain({ base: 'example.com' })
 */
export function bySubdomain(options: SubdomainOptions): FindTenant {
  refuseUnknown('bySubdomain.', options, ['base', 'trustForwardedHost'])
  const { base } = options
  const bases = (typeof base === 'string' ? [base] : listOf('base', base)).map(parseHost)
  const trusts = flag('trustForwardedHost', options.trustForwardedHost ?? false)
  const rules = { bases, ignoreWww: false }
  return ({ headers }, router) => {
    const host = requestHost(hostTextOf({ headers }, trusts), rules)
    const slug = host === undefined ? undefined : slugOfHost(host, rules)
    return slug === undefined ? undefined : bySlug(slug, router)
  }
}

/** Where {@link byPath} looks. */
export interface PathOptions {
  /** What stands before the slug, such as `/t` for `/t/acme/loans`. @defaultValue `''` */
  readonly below?: string
}

const BELOW = /^(\/[A-Za-z0-9._~-]+)*$/

/**
 * Finds the tenant by its slug at the beginning of the path: `/acme/loans`. The app then sees
 * `/loans`, unless `stripPrefix` is off.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { byPath } from 'tenantry/express'
 *
 * export const tenant = byPath({ below: '/t' })
 */
export function byPath(options: PathOptions = {}): FindTenant {
  refuseUnknown('byPath.', options, ['below'])
  const { below = '' } = options
  if (typeof below !== 'string' || !BELOW.test(below)) {
    throw optionInvalid('below', 'Option "below" must be a path such as "/t", without a final "/".')
  }
  return ({ url }, router) => {
    if (!url.startsWith(`${below}/`)) return undefined
    const [segment = ''] = url.slice(below.length + 1).split(/[/?#]/, 1)
    if (segment === '') return undefined
    // A slug has no character that a URL would have to encode.
    return isSlug(segment) ? bySlug(segment, router, `${below}/${segment}`) : { kind: 'unknown' }
  }
}
