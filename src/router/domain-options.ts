import { parseHost } from '../names/domain-name.js'
import type { DomainRules } from '../names/domain-rules.js'
import { flag, listOf, refuseUnknown } from '../support/options.js'

/** How hosts lead to tenants. */
export interface DomainOptions {
  /**
   * A host, or several, below which each tenant answers with its slug as the sub-domain: with
   * `example.com`, `acme.example.com` leads to the tenant `acme`. Domains that were added count first.
   */
  readonly base?: string | readonly string[]
  /** Reads `www.acme.com` as `acme.com`, in requests and in what is added. @defaultValue `false` */
  readonly ignoreWww?: boolean
  /**
   * Adds domains as claims, which lead nowhere until `tenants.domains.verify` confirms them. Those
   * below a base are the service's own, and need none.
   *
   * @defaultValue `false`
   */
  readonly requireVerified?: boolean
  /**
   * Takes the host of a request's headers from `x-forwarded-host`. Only behind a proxy that sets it:
   * anybody else can name any host there.
   *
   * @defaultValue `false`
   */
  readonly trustForwardedHost?: boolean
}

/** Options with their defaults. */
export interface ResolvedDomainOptions extends DomainRules {
  readonly requireVerified: boolean
  readonly trustForwardedHost: boolean
}

const KEYS = ['base', 'ignoreWww', 'requireVerified', 'trustForwardedHost'] as const

/** Checks the options. */
export function resolveDomainOptions(options: DomainOptions): ResolvedDomainOptions {
  refuseUnknown('domains.', options, KEYS)
  const { base = [] } = options
  const bases = typeof base === 'string' ? [base] : listOf('domains.base', base)
  return {
    bases: bases.map(parseHost),
    ignoreWww: flag('domains.ignoreWww', options.ignoreWww ?? false),
    requireVerified: flag('domains.requireVerified', options.requireVerified ?? false),
    trustForwardedHost: flag('domains.trustForwardedHost', options.trustForwardedHost ?? false),
  }
}
