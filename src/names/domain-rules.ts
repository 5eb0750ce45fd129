import { type DomainName, type HostName, normaliseHost, parseDomain } from './domain-name.js'
import { type Slug, isSlug } from './slug.js'

/** How the hosts of requests and the domains of tenants are read. */
export interface DomainRules {
  /** Below these hosts, each tenant has its slug as its sub-domain. */
  readonly bases: readonly HostName[]
  /** `www.acme.com` is `acme.com`. */
  readonly ignoreWww: boolean
}

/** The longest text of a host: 253 characters, a dot and a port. */
const MAX_TEXT = 260

/** The host of a request, or `undefined` for what is no host. */
export function requestHost(input: unknown, rules: DomainRules): HostName | undefined {
  if (typeof input !== 'string' || input.length > MAX_TEXT) return undefined
  const host = normaliseHost(input)
  return host !== undefined && rules.ignoreWww ? withoutWww(host) : host
}

/**
 * Parses a domain as it is kept.
 *
 * @throws `NAME_INVALID`
 */
export function keptDomain(input: unknown, rules: DomainRules): DomainName {
  const domain = parseDomain(input)
  return rules.ignoreWww ? { ...domain, host: withoutWww(domain.host) } : domain
}

/** The slug that a host below one of the bases stands for: one label, and a slug. */
export function slugOfHost(host: HostName, { bases }: DomainRules): Slug | undefined {
  for (const base of bases) {
    if (!host.endsWith(`.${base}`)) continue
    const label = host.slice(0, -base.length - 1)
    if (isSlug(label)) return label
  }
  return undefined
}

/** Tells whether a host is one of the bases or below one, and so the service's own. */
export function isBelowBase(host: HostName, { bases }: DomainRules): boolean {
  return bases.some((base) => host === base || host.endsWith(`.${base}`))
}

function withoutWww(host: HostName): HostName {
  return normaliseHost(host.replace(/^www\.(?=.)/, '')) ?? host
}
