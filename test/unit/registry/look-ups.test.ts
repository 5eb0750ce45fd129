import { describe, expect, it } from 'vitest'
import type { Queryable } from '../../../src/postgres/queryable.js'
import { HOST_PAYLOAD } from '../../../src/registry/change.js'
import { LookUps } from '../../../src/registry/look-ups.js'
import type { LookUpAnswer, LookUpQuestion } from '../../../src/registry/registry.js'
import { domainOf, held, host, tenantOf } from './known.js'

const NOBODY: LookUpAnswer = { tenants: [], domains: [] }
const ACTIVE: LookUpAnswer = {
  tenants: [tenantOf('acme')],
  domains: [domainOf('acme', 'acme.test')],
}

function setUp() {
  const { ask, asked, answer, fail } = held<LookUpQuestion, LookUpAnswer>()
  const db: Queryable = { query: () => Promise.reject(new Error('Only the registry is asked.')) }
  let starts = 0
  const lookUps = new LookUps({
    db,
    registry: { lookUp: (_db, question) => ask(question) },
    limits: { maxEntries: 100, ttlMs: 60_000 },
    ear: { since: 0, until: Number.POSITIVE_INFINITY },
    onLookUp: () => (starts += 1),
  })
  return { lookUps, asked, answer, fail, starts: () => starts }
}

describe('LookUps', () => {
  it('asks once for a tenant and answers from memory afterwards', async () => {
    const { lookUps, asked, answer } = setUp()
    const both = [lookUps.find('acme'), lookUps.find('acme')]
    answer(0, ACTIVE)
    await Promise.all(both)
    expect(await lookUps.find('acme')).toEqual(tenantOf('acme'))
    expect(lookUps.peek('acme')).toEqual(tenantOf('acme'))
    expect(asked).toHaveLength(1)
  })

  it('begins to hear before it asks, so that no change falls in between', async () => {
    const { lookUps, answer, starts } = setUp()
    expect(starts()).toBe(0)
    const finding = lookUps.find('acme')
    expect(starts()).toBe(1)
    answer(0, NOBODY)
    await finding
  })

  it('asks nobody for what is no slug', async () => {
    const { lookUps, asked } = setUp()
    expect(await lookUps.find("acme'; --")).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('remembers the tenant of a host with the host', async () => {
    const { lookUps, answer } = setUp()
    const locating = lookUps.locate(host('acme.test'), undefined)
    answer(0, ACTIVE)
    await locating
    const now = performance.now()
    expect(lookUps.peekHost(host('acme.test'), now)?.domains).toHaveLength(1)
    expect(lookUps.peekTenant('acme', now)?.primary?.host).toBe('acme.test')
  })

  it('does not remember an error', async () => {
    const { lookUps, asked, answer, fail } = setUp()
    const failing = lookUps.find('acme')
    fail(0, new Error('the server is away'))
    await expect(failing).rejects.toThrow('the server is away')
    const again = lookUps.find('acme')
    answer(1, ACTIVE)
    expect(await again).toEqual(tenantOf('acme'))
    expect(asked).toHaveLength(2)
  })

  it.each(['here', 'elsewhere'])(
    'does not remember an answer that was on its way when the tenant changed %s',
    async (where) => {
      const { lookUps, answer } = setUp()
      const before = lookUps.find('acme')
      if (where === 'here') lookUps.forgetTenant('acme')
      else lookUps.hear('acme')
      answer(0, ACTIVE)
      expect(await before).toMatchObject({ status: 'active' })
      expect(lookUps.peek('acme')).toBeUndefined()
      const after = lookUps.find('acme')
      answer(1, { tenants: [tenantOf('acme', 'suspended')], domains: [] })
      expect(await after).toMatchObject({ status: 'suspended' })
      expect(lookUps.peek('acme')).toMatchObject({ status: 'suspended' })
    },
  )

  it('does not remember a tenant that a host brought while the tenant changed', async () => {
    const { lookUps, answer } = setUp()
    const locating = lookUps.locate(host('acme.test'), undefined)
    lookUps.hear('acme')
    answer(0, ACTIVE)
    await locating
    expect(lookUps.peek('acme')).toBeUndefined()
    expect(lookUps.peekHost(host('acme.test'), performance.now())).toBeDefined()
  })

  it('forgets a host that is announced, and nothing else', async () => {
    const { lookUps, answer } = setUp()
    const locating = lookUps.locate(host('acme.test'), undefined)
    answer(0, ACTIVE)
    await locating
    lookUps.hear(`${HOST_PAYLOAD}acme.test`)
    expect(lookUps.peekHost(host('acme.test'), performance.now())).toBeUndefined()
    expect(lookUps.peek('acme')).toBeDefined()
  })
})
