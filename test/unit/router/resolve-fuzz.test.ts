import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHost } from '../../../src/names/domain-name.js'
import { isSlug } from '../../../src/names/slug.js'
import type { Queryable } from '../../../src/postgres/queryable.js'
import { LookUps } from '../../../src/registry/look-ups.js'
import type { Domain } from '../../../src/registry/tenant.js'
import type { RequestAddress } from '../../../src/router/request-address.js'
import { type Destination, RequestResolver } from '../../../src/router/request-resolver.js'
import { tenantOf } from '../registry/known.js'

const HOSTS = ['acme.test', 'shop.test', 'xn--bcher-kva.test', 'my_app.test', '127.0.0.1']
const PATHS = ['', '/beta', '/beta/deep', '/B.e-t_a~']
const BASE = 'example.com'

/** Each host with each path belongs to a tenant of its own, but for `shop.test` as a whole. */
const DOMAINS: readonly Domain[] = HOSTS.flatMap((host, at) =>
  PATHS.filter((path) => host !== 'shop.test' || path !== '').map((path, index) => ({
    tenant: `t${at}-${index}`,
    host,
    path,
    primary: true,
    verified: true,
  })),
)

function resolver(): RequestResolver {
  const db: Queryable = { query: () => Promise.reject(new Error('Only the registry is asked.')) }
  const lookUps = new LookUps({
    db,
    registry: {
      lookUp: async (_db, { slugs, hosts }) => {
        const domains = DOMAINS.filter(({ host }) => hosts.some((each) => each === host))
        const named = new Set([...domains.map(({ tenant }) => tenant), ...slugs])
        return { tenants: [...named].map((name) => tenantOf(name)), domains }
      },
    },
    limits: { maxEntries: 50, ttlMs: 600_000 },
    ear: { since: 0, until: Number.POSITIVE_INFINITY },
    onLookUp: () => {},
  })
  return new RequestResolver({
    lookUps,
    rules: { bases: [parseHost(BASE)], ignoreWww: false, trustForwardedHost: true },
    staticDomains: [],
    fallbackDomains: [],
    fallbackSchema: undefined,
  })
}

/** What a browser would connect to for a host, blanks around it aside: another reading of the rules. */
function browserHost(text: string): string | undefined {
  try {
    const { hostname, pathname, search, hash, username, password } = new URL(
      `http://${text.trim()}`,
    )
    if (username + password + search + hash !== '' || pathname !== '/') return undefined
    return hostname.replace(/\.$/, '')
  } catch {
    return undefined
  }
}

function isWholePrefix(prefix: string, path: string): boolean {
  return path === prefix || ['/', '?', '#'].some((end) => path.startsWith(prefix + end))
}

/** Tells whether a destination is what the host and the path of the request say. */
function isEarned(found: Destination | undefined, host: string, path: string): boolean {
  if (found === undefined) return true
  if (found.kind !== 'tenant' || found.domain.host !== browserHost(host)) return false
  const { domain, tenant } = found
  if (domain.host.endsWith(`.${BASE}`)) {
    return isSlug(tenant.slug) && domain.host === `${tenant.slug}.${BASE}`
  }
  const covering = DOMAINS.filter(
    (each) => each.host === domain.host && (each.path === '' || isWholePrefix(each.path, path)),
  ).toSorted((a, b) => b.path.length - a.path.length)
  return covering[0]?.path === domain.path && covering[0].tenant === tenant.slug
}

const JUNK = [
  ['', '.', '..', ':80', ':', ':99999', ':port', '/', '\\', '\\@', '@', 'user@', '?', '#', '%00'],
  ['[', ']', '[::1]', '*', '*.', ' ', '\t', '\n', '\0', ',', ';', "'", '"', '-', '_', '\u3002'],
  ['\u00ad', '\u200b', 'evil.com', 'evil.com\\@', '.evil.com', 'www.', 'xn--', '\ud800'],
]
const junk = fc.constantFrom(...JUNK.flat(), 'x'.repeat(300))
const known = fc.constantFrom(...HOSTS, 'bücher.test', 'acme.example.com', BASE, 'a.b.example.com')
const cased = fc
  .tuple(known, fc.boolean())
  .map(([host, isUpper]) => (isUpper ? host.toUpperCase() : host))
const host = fc.oneof(
  fc.tuple(junk, cased, junk, junk).map((parts) => parts.join('')),
  fc
    .tuple(cased, fc.constantFrom('', '.'), fc.constantFrom('', ':80', ':65535'))
    .map((parts) => parts.join('')),
  fc.domain(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', maxLength: 300 }),
)
const path = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...PATHS),
      fc.constantFrom('', '/', 'max', '?x=/beta', '#', '//', '/../', '%2f', '\\'),
      fc.string(),
    )
    .map((parts) => parts.join('')),
  fc.webPath(),
  fc.string({ unit: 'binary' }),
)

describe('resolve', () => {
  it('throws at no host and path, and leads only where they say', async () => {
    const found = resolver()
    let led = 0
    await fc.assert(
      fc.asyncProperty(host, path, async (text, at) => {
        const destination = await found.resolve({ host: text, path: at })
        if (destination !== undefined) led += 1
        expect(isEarned(destination, text, at)).toBe(true)
        expect(found.peek({ host: text, path: at })?.destination).toEqual(destination)
      }),
      { numRuns: 3_000 },
    )
    expect(led).toBeGreaterThan(100)
  })

  it('throws at no headers, and reads one host from them', async () => {
    const found = resolver()
    const value = fc.option(fc.oneof(host, fc.array(host, { maxLength: 2 })), { nil: undefined })
    const headers = fc.record(
      { host: value, ':authority': value, 'x-forwarded-host': value },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(headers, path, async (given, at) => {
        const request: RequestAddress = { headers: given, path: at }
        const destination = await found.resolve(request)
        const texts = [given['x-forwarded-host'], given[':authority'], given.host]
          .flatMap((each) => (typeof each === 'string' ? [each] : (each?.slice(0, 1) ?? [])))
          .flatMap((each) => [each, each.split(',')[0] ?? ''])
        if (destination?.kind !== 'tenant') return
        expect(texts.map(browserHost)).toContain(destination.domain.host)
      }),
      { numRuns: 1_000 },
    )
  })
})
