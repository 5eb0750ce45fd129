import type { StaticDomain } from '../lifecycle/domain/free-domain.js'
import type { HostName } from '../names/domain-name.js'
import { type DomainRules, requestHost, slugOfHost } from '../names/domain-rules.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Slug } from '../names/slug.js'
import type { LookUps } from '../registry/look-ups.js'
import type { KnownTenant } from '../registry/memory.js'
import type { Domain, Tenant, TenantMetadata } from '../registry/tenant.js'
import { Generations } from '../support/generations.js'
import { type RequestAddress, hostTextOf } from './request-address.js'

/** Where a request leads. */
export type Destination<Metadata = TenantMetadata> =
  | {
      readonly kind: 'tenant'
      /** Of any status: a suspended tenant's scopes are refused, and a page can say so. */
      readonly tenant: Tenant<Metadata>
      /** The domain that the request came by. */
      readonly domain: Domain
      /** The tenant's primary domain, if it is another one: where to redirect to. */
      readonly redirect?: Domain
    }
  | { readonly kind: 'static'; readonly schema: string }

/** What is remembered of a request's host. */
export interface Resolution<Metadata = TenantMetadata> {
  /** `undefined` when the host leads nowhere. */
  readonly destination: Destination<Metadata> | undefined
}

/** What requests are resolved with. */
export interface ResolverParts {
  readonly lookUps: LookUps
  readonly rules: DomainRules & { readonly trustForwardedHost: boolean }
  readonly staticDomains: readonly StaticDomain[]
  /** Those that count only where no tenant's domain does. */
  readonly fallbackDomains: readonly StaticDomain[]
  /** The schema of every host that leads nowhere else. */
  readonly fallbackSchema: SchemaName | undefined
}

/** What the text of a host stands for. It follows from the configuration alone, and never changes. */
interface Place {
  readonly host: HostName
  /** The tenant that the host stands for below a base. */
  readonly slug: Slug | undefined
  /** The longest path first, as everywhere. */
  readonly fixed: readonly Fixed[]
  readonly fallback: readonly Fixed[]
}

interface Fixed {
  readonly path: string
  readonly resolution: Resolution
}

type TenantOf = (slug: string) => KnownTenant | undefined

const NOWHERE: Resolution = { destination: undefined }
const MAX_PLACES = 10_000

/** Finds the tenant or static schema of a request; the longest path prefix wins. */
export class RequestResolver {
  readonly #parts: ResolverParts
  readonly #places = new Generations<Place>(MAX_PLACES)

  constructor(parts: ResolverParts) {
    this.#parts = parts
  }

  /** What is remembered, without asking the registry; `undefined` when it has to be asked. */
  peek(request: RequestAddress): Resolution | undefined {
    const place = this.#placeOf(request)
    return place === undefined ? NOWHERE : this.#recall(place, request.path ?? '/')
  }

  /** Finds out where a request leads, from memory where possible. */
  async resolve(request: RequestAddress): Promise<Destination | undefined> {
    const place = this.#placeOf(request)
    if (place === undefined) return undefined
    const path = request.path ?? '/'
    const known = this.#recall(place, path)
    if (known !== undefined) return known.destination
    const { hosts, tenants } = await this.#parts.lookUps.locate(place.host, place.slug)
    const domains = hosts.get(place.host)?.domains ?? []
    return match(place, domains, path, (slug) => tenants.get(slug))?.destination
  }

  #recall(place: Place, path: string): Resolution | undefined {
    const { lookUps } = this.#parts
    const now = performance.now()
    const host = lookUps.peekHost(place.host, now)
    if (host === undefined) return undefined
    return match(place, host.domains, path, (slug) => lookUps.peekTenant(slug, now))
  }

  #placeOf(request: RequestAddress): Place | undefined {
    const { rules } = this.#parts
    const text = request.host ?? hostTextOf(request, rules.trustForwardedHost)
    if (typeof text !== 'string') return undefined
    return this.#places.get(text) ?? this.#learn(text)
  }

  #learn(text: string): Place | undefined {
    const { rules, staticDomains, fallbackDomains, fallbackSchema } = this.#parts
    const host = requestHost(text, rules)
    if (host === undefined) return undefined
    const rest = fallbackSchema === undefined ? [] : [fixedTo(fallbackSchema, '')]
    const place = {
      host,
      slug: slugOfHost(host, rules),
      fixed: fixedAt(host, staticDomains),
      fallback: [...fixedAt(host, fallbackDomains), ...rest],
    }
    this.#places.set(text, place)
    return place
  }
}

function fixedAt(host: HostName, all: readonly StaticDomain[]): readonly Fixed[] {
  return all
    .filter(({ domain }) => domain.host === host)
    .map(({ schema, domain }) => fixedTo(schema, domain.path))
    .toSorted((a, b) => b.path.length - a.path.length)
}

function fixedTo(schema: SchemaName, path: string): Fixed {
  return { path, resolution: { destination: { kind: 'static', schema } } }
}

/** @returns `undefined` when something is missing in what is known. */
function match(
  place: Place,
  domains: readonly Domain[],
  path: string,
  tenantOf: TenantOf,
): Resolution | undefined {
  const fixed = longest(place.fixed, path)
  const led = longest(domains, path)
  if (led !== undefined && led.path.length > (fixed?.path.length ?? -1)) {
    const known = tenantOf(led.tenant)
    return known?.tenant && tenantResolution(known.tenant, led, known.primary)
  }
  return fixed?.resolution ?? matchLast(place, path, tenantOf)
}

/** What counts where nothing was said of the host: its sub-domain, and then the fallbacks. */
function matchLast(place: Place, path: string, tenantOf: TenantOf): Resolution | undefined {
  const known = place.slug === undefined ? undefined : tenantOf(place.slug)
  if (place.slug !== undefined && known === undefined) return undefined
  if (known?.tenant !== undefined) {
    return tenantResolution(known.tenant, subDomain(place, known.tenant), known.primary)
  }
  return longest(place.fallback, path)?.resolution ?? NOWHERE
}

function tenantResolution(tenant: Tenant, domain: Domain, primary: Domain | undefined): Resolution {
  const elsewhere =
    primary?.verified && (primary.host !== domain.host || primary.path !== domain.path)
  return {
    destination: elsewhere
      ? { kind: 'tenant', tenant, domain, redirect: primary }
      : { kind: 'tenant', tenant, domain },
  }
}

/** Nobody has added it: it is the tenant's by its slug. */
function subDomain({ host }: Place, { slug }: Tenant): Domain {
  return { tenant: slug, host, path: '', primary: false, verified: true }
}

function longest<T extends { readonly path: string }>(
  candidates: readonly T[],
  path: string,
): T | undefined {
  for (const candidate of candidates) if (covers(candidate.path, path)) return candidate
  return undefined
}

/** `/beta` covers `/beta`, `/beta/loans` and `/beta?page=2`, but not `/betamax`. */
function covers(prefix: string, path: string): boolean {
  if (prefix === '') return true
  return path.startsWith(prefix) && ['', '/', '?', '#'].includes(path.charAt(prefix.length))
}
