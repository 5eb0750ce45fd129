import { describe, expect, it } from 'vitest'
import type { Hearing } from '../../../src/postgres/channel-listener.js'
import { type KnownHost, type KnownTenant, RegistryMemory } from '../../../src/registry/memory.js'
import { domainOf, tenantOf } from './known.js'

const HEARS: Hearing = { since: 0, until: Number.POSITIVE_INFINITY }
const DEAF: Hearing = { since: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY }
const LIMITS = { maxEntries: 100, ttlMs: 5_000 }

const tenantAt = (at: number, name = 'acme'): KnownTenant => ({
  at,
  tenant: tenantOf(name),
  primary: undefined,
})
const nobodyAt = (at: number): KnownTenant => ({ at, tenant: undefined, primary: undefined })
const hostAt = (at: number, ...tenants: readonly string[]): KnownHost => ({
  at,
  domains: tenants.map((tenant) => domainOf(tenant, `${tenant}.test`)),
})

describe('RegistryMemory', () => {
  it('knows what it was told for the time to live, also that there is nothing', () => {
    const memory = new RegistryMemory(LIMITS, HEARS)
    memory.keepTenant('acme', tenantAt(1_000))
    memory.keepTenant('nobody', nobodyAt(1_000))
    memory.keepHost('acme.test', hostAt(1_000, 'acme'))
    memory.keepHost('nobody.test', hostAt(1_000))
    const all = (now: number): unknown[] => [
      memory.tenant('acme', now),
      memory.tenant('nobody', now),
      memory.host('acme.test', now),
      memory.host('nobody.test', now),
    ]
    expect(all(5_999)).toEqual([
      tenantAt(1_000),
      nobodyAt(1_000),
      hostAt(1_000, 'acme'),
      hostAt(1_000),
    ])
    expect(all(6_000)).toEqual([undefined, undefined, undefined, undefined])
  })

  it('knows nothing for longer than 0.9 seconds while it hears nothing', () => {
    const memory = new RegistryMemory(LIMITS, DEAF)
    memory.keepTenant('acme', tenantAt(1_000))
    expect(memory.tenant('acme', 1_899)).toBeDefined()
    expect(memory.tenant('acme', 1_900)).toBeUndefined()
  })

  it('does not stretch a time to live that is shorter than that', () => {
    const memory = new RegistryMemory({ ...LIMITS, ttlMs: 50 }, DEAF)
    memory.keepTenant('acme', tenantAt(1_000))
    expect(memory.tenant('acme', 1_050)).toBeUndefined()
  })

  it('trusts what was asked before it began to hear for the short time only', () => {
    const memory = new RegistryMemory(LIMITS, { since: 1_001, until: Number.POSITIVE_INFINITY })
    memory.keepTenant('acme', tenantAt(1_000))
    memory.keepTenant('beta', tenantAt(1_001, 'beta'))
    expect(memory.tenant('acme', 1_901)).toBeUndefined()
    expect(memory.tenant('beta', 1_901)).toBeDefined()
  })

  it('stops trusting what it knows as soon as the connection may be dead', () => {
    const memory = new RegistryMemory(LIMITS, { since: 0, until: 2_000 })
    memory.keepTenant('acme', tenantAt(1_000))
    expect(memory.tenant('acme', 1_999)).toBeDefined()
    expect(memory.tenant('acme', 2_000)).toBeUndefined()
  })

  it('forgets what it is told to, known or unknown', () => {
    const memory = new RegistryMemory(LIMITS, HEARS)
    memory.keepTenant('acme', tenantAt(0))
    memory.keepHost('nobody.test', hostAt(0))
    memory.forgetTenant('acme')
    memory.forgetHost('nobody.test')
    expect(memory.tenant('acme', 1)).toBeUndefined()
    expect(memory.host('nobody.test', 1)).toBeUndefined()
  })

  it('has one answer for a name that comes to be or goes', () => {
    const memory = new RegistryMemory(LIMITS, HEARS)
    memory.keepTenant('acme', nobodyAt(0))
    memory.keepTenant('acme', tenantAt(1))
    expect(memory.tenant('acme', 2)?.tenant).toBeDefined()
    memory.keepTenant('acme', nobodyAt(3))
    expect(memory.tenant('acme', 4)).toEqual(nobodyAt(3))
  })

  it('keeps at most so many hosts that lead nowhere, and loses none that lead somewhere', () => {
    const memory = new RegistryMemory(LIMITS, HEARS)
    for (let at = 0; at < 50; at += 1) memory.keepHost(`known${at}.test`, hostAt(0, `t${at}`))
    const flood = Array.from({ length: 100_000 }, (_, at) => `x${at}.test`)
    for (const name of flood) memory.keepHost(name, hostAt(0))
    expect(flood.filter((name) => memory.host(name, 1) !== undefined).length).toBeLessThanOrEqual(
      LIMITS.maxEntries,
    )
    for (let at = 0; at < 50; at += 1) expect(memory.host(`known${at}.test`, 1)).toBeDefined()
  })
})
