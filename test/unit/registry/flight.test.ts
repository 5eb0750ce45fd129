import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FlightControl, type Landed } from '../../../src/registry/flight.js'
import type { LookUpAnswer, LookUpQuestion } from '../../../src/registry/registry.js'
import { domainOf, held, host, slug, tenantOf } from './known.js'

const NOBODY: LookUpAnswer = { tenants: [], domains: [] }

function setUp() {
  const registry = held<LookUpQuestion, LookUpAnswer>()
  const landed: Landed[] = []
  const flights = new FlightControl(registry.ask, (each) => landed.push(each))
  const findSlug = (name: string): Promise<Landed> =>
    flights.lookUp({ slug: slug(name), host: undefined })
  const findHost = (name: string): Promise<Landed> =>
    flights.lookUp({ slug: undefined, host: host(name) })
  return { ...registry, landed, flights, findSlug, findHost }
}

describe('FlightControl', () => {
  it('asks at once, and once for all who want the same meanwhile', async () => {
    const { findSlug, asked, answer } = setUp()
    const waiting = [findSlug('acme'), findSlug('acme'), findSlug('acme')]
    expect(asked).toEqual([{ slugs: ['acme'], hosts: [] }])
    answer(0, { tenants: [tenantOf('acme')], domains: [] })
    const [first, ...others] = await Promise.all(waiting)
    expect(first?.tenants.get('acme')?.tenant?.slug).toBe('acme')
    expect(others).toEqual([first, first])
  })

  it('tells a slug from a host of the same name', () => {
    const { findSlug, findHost, asked } = setUp()
    void findSlug('acme')
    void findHost('acme')
    expect(asked).toEqual([
      { slugs: ['acme'], hosts: [] },
      { slugs: [], hosts: ['acme'] },
    ])
  })

  it('asks again when the answer has come', async () => {
    const { findSlug, asked, answer } = setUp()
    const first = findSlug('acme')
    answer(0, NOBODY)
    await first
    void findSlug('acme')
    expect(asked).toHaveLength(2)
  })

  it('has four questions under way, and puts all others together in the next one', async () => {
    const { findSlug, findHost, asked, answer } = setUp()
    for (const name of ['a', 'b', 'c', 'd']) void findSlug(name)
    const late = [findSlug('e'), findHost('f.test'), findSlug('e'), findSlug('g')]
    expect(asked).toHaveLength(4)
    answer(2, NOBODY)
    await turn()
    expect(asked.slice(4)).toEqual([{ slugs: ['e', 'g'], hosts: ['f.test'] }])
    answer(4, { tenants: [tenantOf('g')], domains: [] })
    const all = await Promise.all(late)
    expect(all.map(({ tenants }) => tenants.get('g')?.tenant?.slug)).toEqual(['g', 'g', 'g', 'g'])
  })

  it('puts ten thousand questions to the registry in five queries', async () => {
    const { findHost, asked, answer } = setUp()
    const all = Array.from({ length: 10_000 }, (_, at) => findHost(`x${at}.test`))
    for (const at of [0, 1, 2, 3]) answer(at, NOBODY)
    await turn()
    expect(asked).toHaveLength(5)
    answer(4, NOBODY)
    await Promise.all(all)
    expect(asked.flatMap(({ hosts }) => hosts)).toHaveLength(10_000)
  })

  it('tells an error to all who wait, and asks anew for who comes after', async () => {
    const { findSlug, asked, answer, fail, landed } = setUp()
    const waiting = Promise.allSettled([findSlug('acme'), findSlug('acme')])
    fail(0, new Error('the server is away'))
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const again = findSlug('acme')
    expect(asked).toHaveLength(2)
    answer(1, NOBODY)
    await again
    expect(landed).toHaveLength(1)
  })

  it('goes on with what waits when a question has failed', async () => {
    const { findSlug, asked, fail } = setUp()
    const four = Promise.allSettled(['a', 'b', 'c', 'd'].map(findSlug))
    void findSlug('e')
    for (const at of [0, 1, 2, 3]) fail(at, new Error('the server is away'))
    await four
    await turn()
    expect(asked.slice(4)).toEqual([{ slugs: ['e'], hosts: [] }])
  })

  it('gives nobody an answer that was asked for before a change that they know of', async () => {
    const { flights, findSlug, asked, answer } = setUp()
    const before = findSlug('acme')
    flights.outdateTenant('acme')
    const after = findSlug('acme')
    expect(asked).toHaveLength(2)
    answer(0, { tenants: [tenantOf('acme')], domains: [] })
    answer(1, { tenants: [tenantOf('acme', 'suspended')], domains: [] })
    expect((await before).outdated.slugs).toEqual(new Set(['acme']))
    expect((await after).outdated.slugs).toEqual(new Set())
    expect((await after).tenants.get('acme')?.tenant?.status).toBe('suspended')
  })

  it('lets those who share the new question share it, when the old one comes back last', async () => {
    const { flights, findHost, asked, answer } = setUp()
    const before = findHost('acme.test')
    flights.outdateHost('acme.test')
    const after = findHost('acme.test')
    answer(0, NOBODY)
    await before
    const later = findHost('acme.test')
    expect(asked).toHaveLength(2)
    answer(1, { tenants: [tenantOf('acme')], domains: [domainOf('acme', 'acme.test')] })
    expect(await later).toBe(await after)
  })

  it('does not take what waits for outdated: it has not asked yet', async () => {
    const { flights, findSlug, asked, answer } = setUp()
    for (const name of ['a', 'b', 'c', 'd']) void findSlug(name)
    const waiting = findSlug('acme')
    flights.outdateTenant('acme')
    answer(0, NOBODY)
    await turn()
    expect(asked).toHaveLength(5)
    answer(4, NOBODY)
    expect((await waiting).outdated.slugs).toEqual(new Set())
  })
})
