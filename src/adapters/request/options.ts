import { flag, optionInvalid, refuseUnknown } from '../../support/options.js'
import { byHost } from './by-address.js'
import type { FindTenant } from './found.js'

/** How requests are served; the same for every framework. */
export interface ServeOptions<Request = unknown> {
  /** How a request's tenant is found. @defaultValue `byHost()` */
  readonly tenant?: FindTenant<Request>
  /**
   * What becomes of a request that names no tenant: `'reject'` answers it, with 404 for an unknown
   * host and else 400; `'shared'` runs it in the shared schema; `'pass'` runs it without any schema,
   * so that its queries throw `TENANT_NO_SCOPE`.
   *
   * A request that names a tenant that does not exist is answered with 404 in any case.
   *
   * @defaultValue `'reject'`
   */
  readonly missing?: 'reject' | 'shared' | 'pass'
  /**
   * Redirects GET and HEAD to the tenant's primary domain, with path and query, by a 307. Other
   * methods are served where they are.
   *
   * @defaultValue `false`
   */
  readonly redirect?: boolean
  /**
   * Takes the prefix that led to the tenant off the URL that the app sees: for the domain
   * `example.com/beta`, the app sees `/beta/loans?page=2` as `/loans?page=2`.
   *
   * @defaultValue `true`
   */
  readonly stripPrefix?: boolean
  /**
   * Who answers a refused request: the adapter by `application/problem+json`, or, with `'throw'`,
   * your framework's error handling, which gets a `TenantryError` with a `statusCode`.
   *
   * @defaultValue `'answer'`
   */
  readonly refusals?: 'answer' | 'throw'
}

/** Options with their defaults. */
export interface ResolvedServeOptions<Request> {
  readonly tenant: FindTenant<Request>
  readonly missing: 'reject' | 'shared' | 'pass'
  readonly redirect: boolean
  readonly stripPrefix: boolean
  readonly refusals: 'answer' | 'throw'
}

const KEYS = ['tenant', 'missing', 'redirect', 'stripPrefix', 'refusals'] as const

/** Checks the options of an adapter. */
export function resolveServeOptions<Request>(
  options: ServeOptions<Request>,
): ResolvedServeOptions<Request> {
  refuseUnknown('', options, KEYS)
  const { tenant = byHost(), missing = 'reject', refusals = 'answer' } = options
  if (typeof tenant !== 'function') {
    throw optionInvalid('tenant', 'Option "tenant" must be a resolver, such as byHost().')
  }
  return {
    tenant,
    missing: oneOf('missing', missing, ['reject', 'shared', 'pass']),
    redirect: flag('redirect', options.redirect ?? false),
    stripPrefix: flag('stripPrefix', options.stripPrefix ?? true),
    refusals: oneOf('refusals', refusals, ['answer', 'throw']),
  }
}

function oneOf<T extends string>(option: string, value: T, words: readonly T[]): T {
  if (words.includes(value)) return value
  throw optionInvalid(option, `Option "${option}" must be one of ${words.join(', ')}.`)
}
