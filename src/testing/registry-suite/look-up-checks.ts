import assert from 'node:assert/strict'
import type { LookUpQuestion } from '../../registry/registry.js'
import type { Check, CheckPlace } from './check.js'

/** What is expected of a registry that is asked for many at once. */
export const lookUpChecks: Readonly<Record<string, Check>> = {
  'looks up many slugs at once': async (place) => {
    const tenants = [await place.insert('a'), await place.insert('b')]
    await place.insert('c')
    const slugs = ['a', 'b', 'nobody'].map((name) => place.slug(name))
    const { tenants: found, domains } = await lookUp(place, { slugs, hosts: [] })
    assert.deepEqual(found, tenants)
    assert.deepEqual(domains, [])
  },

  'looks up a host with all of its paths, and the primary domains of those it leads to': async (
    place,
  ) => {
    const { registry, pool } = place
    const [acme, other] = [place.slug('acme'), place.slug('other')]
    for (const name of ['acme', 'other', 'third']) await place.insert(name)
    const { host } = place.domain('shared')
    const primary = place.domain('acme', { primary: true })
    await registry.addDomain(pool, acme, primary)
    await registry.addDomain(pool, acme, place.domain('not-asked-for'))
    await registry.addDomain(pool, acme, place.domain('shared'))
    await registry.addDomain(pool, other, { ...place.domain('shared'), path: '/beta' })
    const answer = await lookUp(place, { slugs: [], hosts: [host] })
    assert.deepEqual(
      answer.tenants.map(({ slug }) => slug),
      [acme, other],
    )
    assert.deepEqual(answer.domains, [
      { tenant: acme, ...primary },
      { tenant: acme, ...place.domain('shared') },
      { tenant: other, ...place.domain('shared'), path: '/beta' },
    ])
  },

  'leads nobody by a domain that is not verified': async (place) => {
    const { registry, pool } = place
    const acme = await place.insert('acme')
    const claim = place.domain('claim', { verified: false, primary: true })
    await registry.addDomain(pool, place.slug('acme'), claim)
    const nowhere = await lookUp(place, { slugs: [], hosts: [claim.host] })
    assert.deepEqual(nowhere, { tenants: [], domains: [] })
    const slugs = [place.slug('acme')]
    assert.deepEqual(await lookUp(place, { slugs, hosts: [claim.host] }), {
      tenants: [acme],
      domains: [{ tenant: acme.slug, ...claim }],
    })
  },

  'looks up tenants of any status': async (place) => {
    const slug = place.slug('acme')
    await place.insert('acme')
    await place.registry.addDomain(place.pool, slug, place.domain('acme'))
    await place.registry.setStatus(place.pool, slug, 'deleted')
    const { tenants } = await lookUp(place, { slugs: [], hosts: [place.domain('acme').host] })
    assert.deepEqual(
      tenants.map(({ status }) => status),
      ['deleted'],
    )
  },
}

/** The order of an answer does not matter. */
async function lookUp(
  { registry, pool }: CheckPlace,
  question: LookUpQuestion,
): Promise<Awaited<ReturnType<CheckPlace['registry']['lookUp']>>> {
  const { tenants, domains } = await registry.lookUp(pool, question)
  return {
    tenants: tenants.toSorted((a, b) => (a.slug < b.slug ? -1 : 1)),
    domains: domains.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1)),
  }
}

function textOf({ tenant, host, path }: { tenant: string; host: string; path: string }): string {
  return [tenant, host, path].join(' ')
}
