import { describe, expect, it } from 'vitest'
import { parseDomain } from '../../../src/names/domain-name.js'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import type { Queryable } from '../../../src/postgres/queryable.js'
import { LookUps } from '../../../src/registry/look-ups.js'
import type { LookUpAnswer, LookUpQuestion } from '../../../src/registry/registry.js'
import { RequestResolver, type ResolverParts } from '../../../src/router/request-resolver.js'
import { keptIn } from '../../support/kept-in.js'
import { domainOf, host, tenantOf } from '../registry/known.js'

const MAX_ENTRIES = 1_000

/** A registry with one tenant, `acme`, and its domain `acme.test`. */
function answerOf({ slugs, hosts }: LookUpQuestion): LookUpAnswer {
  const found = slugs.some((slug) => slug === 'acme') || hosts.some((name) => name === 'acme.test')
  return {
    tenants: found ? [tenantOf('acme')] : [],
    domains: found ? [domainOf('acme', 'acme.test')] : [],
  }
}

function setUp(parts: Partial<ResolverParts> = {}) {
  const asked: LookUpQuestion[] = []
  const db: Queryable = { query: () => Promise.reject(new Error('Only the registry is asked.')) }
  const lookUps = new LookUps({
    db,
    registry: {
      lookUp: async (_db, question) => {
        asked.push(question)
        return answerOf(question)
      },
    },
    limits: { maxEntries: MAX_ENTRIES, ttlMs: 600_000 },
    ear: { since: 0, until: Number.POSITIVE_INFINITY },
    onLookUp: () => {},
  })
  const resolver = new RequestResolver({
    lookUps,
    rules: { bases: [host('example.com')], ignoreWww: false, trustForwardedHost: false },
    staticDomains: [],
    fallbackDomains: [],
    fallbackSchema: undefined,
    ...parts,
  })
  return { resolver, asked }
}

describe('RequestResolver', () => {
  it('keeps its memory within bounds in a flood of 100,000 unknown hosts, and asks once for each', async () => {
    const { resolver, asked } = setUp()
    await resolver.resolve({ host: 'acme.test' })
    const kept = await keptIn(async () => {
      for (let wave = 0; wave < 10; wave += 1) {
        const hosts = Array.from({ length: 10_000 }, (_, at) => `x${wave}-${at}.test`)
        await Promise.all(hosts.map((name) => resolver.resolve({ host: name })))
      }
    })
    expect(asked.flatMap(({ hosts }) => hosts)).toHaveLength(100_001)
    expect(asked.length).toBeLessThanOrEqual(1 + 10 * 5)
    const sizes = [...kept].map(({ size }) => size).toSorted((a, b) => a - b)
    // What a host's text stands for is kept apart, by a bound of its own.
    expect(sizes).toHaveLength(2)
    expect(sizes[0]).toBeLessThanOrEqual(MAX_ENTRIES)
    expect(sizes[1]).toBeLessThanOrEqual(10_000)
    expect(resolver.peek({ host: 'acme.test' })?.destination).toMatchObject({ kind: 'tenant' })
  })

  it('keeps nothing of texts that are no hosts, and asks nobody', async () => {
    const { resolver, asked } = setUp()
    const kept = await keptIn(async () => {
      for (let at = 0; at < 10_000; at += 1) await resolver.resolve({ host: `no host ${at}` })
    })
    expect(kept.size).toBe(0)
    expect(asked).toEqual([])
  })

  it('keeps within bounds what unknown sub-domains of a base stand for', async () => {
    const { resolver, asked } = setUp()
    const kept = await keptIn(async () => {
      const hosts = Array.from({ length: 10_000 }, (_, at) => `x${at}.example.com`)
      await Promise.all(hosts.map((name) => resolver.resolve({ host: name })))
    })
    expect(asked.length).toBeLessThanOrEqual(5)
    const bounded = [...kept].filter(({ size }) => size <= MAX_ENTRIES)
    // Hosts and slugs; what the texts stand for has a bound of its own.
    expect(bounded).toHaveLength(kept.size - 1)
    expect(bounded).toHaveLength(2)
  })

  it('answers for a static schema without asking for a tenant of the same path', async () => {
    const schema = parseSchemaName('main')
    const { resolver } = setUp({ staticDomains: [{ schema, domain: parseDomain('acme.test') }] })
    expect(await resolver.resolve({ host: 'acme.test' })).toEqual({ kind: 'static', schema })
  })
})
