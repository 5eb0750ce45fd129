import assert from 'node:assert/strict'
import { type Check, type CheckPlace, expectError } from './check.js'

/** What is expected of a registry's domains. */
export const domainChecks: Readonly<Record<string, Check>> = {
  'lists a tenant’s domains, the primary one first and then by name': async (place) => {
    const { registry, pool } = place
    const slug = await tenant(place, 'acme')
    const { host } = place.domain('b')
    const orders = [
      place.domain('c'),
      { ...place.domain('b'), path: '/beta' },
      place.domain('b'),
      place.domain('a'),
    ]
    for (const order of orders) await registry.addDomain(pool, slug, order)
    await registry.setPrimaryDomain(pool, slug, place.domain('b'))
    const domains = await registry.domainsOf(pool, slug)
    assert.deepEqual(
      domains.map((each) => [each.host, each.path, each.primary]),
      [
        [host, '', true],
        [place.domain('a').host, '', false],
        [host, '/beta', false],
        [place.domain('c').host, '', false],
      ],
    )
    assert.deepEqual(await registry.domainsOf(pool, place.slug('nobody')), [])
  },

  'lists all domains for an audit, by name and then by tenant, if it can': async (place) => {
    const { registry, pool } = place
    if (registry.listDomains === undefined) return
    const [acme, other] = [await tenant(place, 'acme'), await tenant(place, 'other')]
    const claimed = place.domain('b', { verified: false })
    const whole = place.domain('a', { primary: true })
    const below = { ...place.domain('a'), path: '/beta' }
    for (const domain of [below, claimed]) await registry.addDomain(pool, other, domain)
    for (const domain of [claimed, whole]) await registry.addDomain(pool, acme, domain)
    const hosts = new Set<string>([whole.host, claimed.host])
    const listed = (await registry.listDomains(pool)).filter(({ host }) => hosts.has(host))
    assert.deepEqual(listed, [
      { tenant: acme, ...whole },
      { tenant: other, ...below },
      { tenant: acme, ...claimed },
      { tenant: other, ...claimed },
    ])
  },

  'gives back the domain that it has added': async (place) => {
    const { registry, pool } = place
    const slug = await tenant(place, 'acme')
    const order = place.domain('acme', { primary: true })
    const added = await registry.addDomain(pool, slug, order)
    assert.deepEqual(added, { tenant: slug, ...order })
    assert.deepEqual(await registry.domainsOf(pool, slug), [added])
  },

  'refuses a domain that another tenant has, or the tenant itself': async (place) => {
    const { registry, pool } = place
    const [acme, other] = [await tenant(place, 'acme'), await tenant(place, 'other')]
    const domain = place.domain('acme')
    await registry.addDomain(pool, acme, domain)
    await expectError('DOMAIN_TAKEN', registry.addDomain(pool, other, domain))
    await expectError('DOMAIN_TAKEN', registry.addDomain(pool, acme, domain))
    const unverified = { ...domain, verified: false }
    await expectError('DOMAIN_TAKEN', registry.addDomain(pool, other, unverified))
    assert.deepEqual(await registry.domainsOf(pool, other), [])
  },

  'lets several tenants claim a domain, and verifies it for one': async (place) => {
    const { registry, pool } = place
    const [acme, other] = [await tenant(place, 'acme'), await tenant(place, 'other')]
    const domain = place.domain('acme', { verified: false })
    for (const slug of [acme, other]) await registry.addDomain(pool, slug, domain)
    assert.equal((await registry.verifyDomain(pool, other, domain))?.verified, true)
    await expectError('DOMAIN_TAKEN', registry.verifyDomain(pool, acme, domain))
    assert.equal((await registry.verifyDomain(pool, other, domain))?.verified, true)
    assert.deepEqual(
      (await registry.domainsOf(pool, acme)).map(({ verified }) => verified),
      [false],
    )
  },

  'has one primary domain for each tenant': async (place) => {
    const { registry, pool } = place
    const slug = await tenant(place, 'acme')
    const [first, second] = [place.domain('b', { primary: true }), place.domain('a')]
    for (const domain of [first, second]) await registry.addDomain(pool, slug, domain)
    assert.equal(await registry.setPrimaryDomain(pool, slug, place.domain('none')), false)
    assert.deepEqual(await primaries(place, 'acme'), [first.host])
    assert.equal(await registry.setPrimaryDomain(pool, slug, second), true)
    assert.equal(await registry.setPrimaryDomain(pool, slug, second), true)
    assert.deepEqual(await primaries(place, 'acme'), [second.host])
  },

  'removes a domain, which is free again': async (place) => {
    const { registry, pool } = place
    const [acme, other] = [await tenant(place, 'acme'), await tenant(place, 'other')]
    const domain = place.domain('acme')
    await registry.addDomain(pool, acme, domain)
    assert.equal(await registry.removeDomain(pool, other, domain), false)
    assert.equal(await registry.removeDomain(pool, acme, { ...domain, path: '/beta' }), false)
    assert.equal(await registry.removeDomain(pool, acme, domain), true)
    assert.equal(await registry.removeDomain(pool, acme, domain), false)
    assert.notEqual(await registry.addDomain(pool, other, domain), undefined)
  },

  'keeps the domains of a tenant that is renamed, and removes them with it': async (place) => {
    const { registry, pool } = place
    const acme = await tenant(place, 'acme')
    const domain = place.domain('acme')
    await registry.addDomain(pool, acme, domain)
    const { slug, schema } = place.order('apex')
    await registry.rename(pool, acme, { slug, schema })
    assert.deepEqual(
      (await registry.domainsOf(pool, slug)).map((each) => [each.tenant, each.host]),
      [[slug, domain.host]],
    )
    await registry.remove(pool, slug)
    const other = await tenant(place, 'other')
    assert.notEqual(await registry.addDomain(pool, other, domain), undefined)
  },

  'says of the domains of nobody that there are none': async (place) => {
    const { registry, pool } = place
    const slug = place.slug('nobody')
    const domain = place.domain('acme')
    assert.equal(await registry.addDomain(pool, slug, domain), undefined)
    assert.equal(await registry.verifyDomain(pool, slug, domain), undefined)
    assert.equal(await registry.setPrimaryDomain(pool, slug, domain), false)
    assert.equal(await registry.removeDomain(pool, slug, domain), false)
  },
}

async function tenant(place: CheckPlace, name: string): Promise<ReturnType<CheckPlace['slug']>> {
  await place.insert(name)
  return place.slug(name)
}

async function primaries(place: CheckPlace, name: string): Promise<readonly string[]> {
  const domains = await place.registry.domainsOf(place.pool, place.slug(name))
  return domains.filter(({ primary }) => primary).map(({ host }) => host)
}
