import { SchemaRouter } from 'tenantry'
import { describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { keptIn } from '../support/kept-in.js'
import { type SilentProxy, openSilentProxy } from '../support/silent-proxy.js'

const database = useDatabase()
const PATIENCE = { timeout: 20_000, interval: 20 }
const MAX_ENTRIES = 1_000

interface Setup {
  readonly router: SchemaRouter
  /** Another process, which hears by way of the proxy. */
  readonly other: SchemaRouter
  /** How often the other process has asked the database for something. */
  readonly asked: () => number
}

async function setUp(proxy: SilentProxy): Promise<Setup> {
  const prefix = database.prefix()
  const schemas = { shared: { name: `shared_${prefix}` }, tenants: { prefix } }
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  await router.tenants.create({ slug: 'acme', domains: ['acme.test'] })
  const pool = database.pool()
  let count = 0
  pool.on('acquire', () => (count += 1))
  const cache = {
    ttl: 60_000,
    maxEntries: MAX_ENTRIES,
    listen: { connectionString: proxy.url },
  }
  return { router, other: new SchemaRouter({ pool, schemas, cache }), asked: () => count }
}

/** Waits until the process hears what others write. */
async function untilHeard({ other }: Setup): Promise<void> {
  await vi.waitFor(async () => {
    await other.tenants.find('acme')
    const { rows } = await database.admin.query(
      `select from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    )
    expect(rows.length).toBeGreaterThan(0)
  }, PATIENCE)
}

describe('a flood of requests', { timeout: 120_000 }, () => {
  it('for unknown hosts leaves no more in memory than its bound, and is few queries', async () => {
    await using proxy = await openSilentProxy(database.url)
    const { router, other, asked } = await setUp(proxy)
    const before = asked()
    const kept = await keptIn(async () => {
      for (let wave = 0; wave < 4; wave += 1) {
        const hosts = Array.from({ length: 2_500 }, (_, at) => `x${wave}-${at}.test`)
        await Promise.all(hosts.map((host) => other.resolve({ host })))
      }
    })
    expect(asked() - before).toBeLessThanOrEqual(4 * 5)
    const sizes = [...kept].map(({ size }) => size).toSorted((a, b) => a - b)
    // What a host's text stands for is kept apart, by a bound of its own.
    expect(sizes).toHaveLength(2)
    expect(sizes[0]).toBeLessThanOrEqual(MAX_ENTRIES)
    expect(sizes[1]).toBeLessThanOrEqual(10_000)
    await router.close()
    await other.close()
  })

  it('for a few hosts asks once for each while it is remembered', async () => {
    await using proxy = await openSilentProxy(database.url)
    const made = await setUp(proxy)
    const { router, other, asked } = made
    await untilHeard(made)
    const hosts = Array.from({ length: 20 }, (_, at) => `y${at}.test`)
    const [before, began] = [asked(), performance.now()]
    for (let at = 0; at < 100_000; at += 1) {
      await other.resolve({ host: hosts[at % hosts.length] })
    }
    // A process that is too busy to hear remembers for the short time only.
    const times = 1 + Math.floor((performance.now() - began) / 900)
    expect(asked() - before).toBeLessThanOrEqual(hosts.length * times)
    await router.close()
    await other.close()
  })
})

describe('a process whose connection has gone silent', { timeout: 60_000 }, () => {
  it('forgets soon what it cannot hear of, and remembers again once it hears', async () => {
    await using proxy = await openSilentProxy(database.url)
    const made = await setUp(proxy)
    const { router, other } = made
    await untilHeard(made)
    await other.runAs('acme', () => 1)
    const next = proxy.nextConnection()
    proxy.silence()
    await router.tenants.suspend('acme')
    await vi.waitFor(
      () =>
        expect(other.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
      PATIENCE,
    )
    await next
    await untilHeard(made)
    await expect(other.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await router.tenants.activate('acme')
    await vi.waitFor(() => other.runAs('acme', () => 1), PATIENCE)
    await router.close()
    await other.close()
  })

  it('forgets as soon while no connection can be made', async () => {
    await using proxy = await openSilentProxy(database.url)
    proxy.refuse()
    const made = await setUp(proxy)
    const { router, other } = made
    await other.runAs('acme', () => 1)
    await router.tenants.suspend('acme')
    await vi.waitFor(
      () =>
        expect(other.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
      PATIENCE,
    )
    expect(proxy.connections).toBeGreaterThan(0)
    await router.close()
    await other.close()
  })
})
