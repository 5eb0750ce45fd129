import type { Pool, PoolClient } from 'pg'
import { type SchemaRouterOptions, SchemaRouter } from 'tenantry'
import { describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

type Options = Pick<SchemaRouterOptions, 'domains' | 'cache'>

interface Setup {
  readonly router: SchemaRouter
  readonly main: string
  readonly pool: Pool
  another(options?: Options): SchemaRouter
}

async function setUp(options: Options = {}): Promise<Setup> {
  const prefix = database.prefix()
  const main = `main_${prefix}`
  const schemas = {
    ...(await migrations.fleet(prefix, {})),
    static: { [main]: { domains: ['app.example.com'], fallbackDomains: ['home.example', '*'] } },
  }
  const another = (own: Options = options, pool = database.pool()): SchemaRouter =>
    new SchemaRouter({ pool, schemas, ...own })
  const pool = database.pool()
  const router = another(options, pool)
  await router.tenants.create({ slug: 'acme', domains: ['acme.test', 'shop.test/acme'] })
  return { router, main, pool, another }
}

/** Counts what is asked of a pool; the connection that listens is not one of its clients. */
function countQueries(pool: Pool): () => number {
  let count = 0
  pool.on('acquire', (_client: PoolClient) => (count += 1))
  return () => count
}

/** Waits until what others write is heard: then an answer is remembered for the whole `ttl`. */
async function untilHeard(router: SchemaRouter, prefix = database.name): Promise<void> {
  await router.resolve({ host: 'acme.test' })
  await vi.waitFor(async () => {
    const { rows } = await database.admin.query(
      `select from pg_stat_activity where datname = $1 and query like 'listen %'`,
      [prefix],
    )
    expect(rows.length).toBeGreaterThan(0)
  })
}

describe('resolve', () => {
  it('asks once for a host, known or not, however many wait for it', async () => {
    const { router, pool } = await setUp()
    const count = countQueries(pool)
    const hosts = ['acme.test', 'ACME.test.:80', 'nobody.test', 'nobody.test:1']
    await Promise.all([...hosts, ...hosts].map((host) => router.resolve({ host })))
    const asked = count()
    expect(asked).toBeLessThanOrEqual(2)
    for (const host of hosts) await router.resolve({ host })
    expect(count()).toBe(asked)
    await router.close()
  })

  it('puts a flood of unknown hosts into few queries', async () => {
    const { router, pool } = await setUp()
    const count = countQueries(pool)
    const hosts = Array.from({ length: 2_000 }, (_, at) => `x${at}.test`)
    await Promise.all(hosts.map((host) => router.resolve({ host })))
    expect(count()).toBeLessThanOrEqual(10)
    await router.close()
  })

  it('serves a suspended tenant no longer, at once here and soon in another process', async () => {
    const { router, another } = await setUp({ cache: { ttl: 60_000 } })
    const other = another()
    await untilHeard(other)
    await other.tenants.get('acme')
    await router.tenants.suspend('acme')
    await expect(router.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await vi.waitFor(() =>
      expect(other.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
    )
    await router.close()
    await other.close()
  })

  it('hears again after the connection was lost', async () => {
    const { router, another } = await setUp({ cache: { ttl: 60_000 } })
    const other = another()
    await untilHeard(other)
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like 'listen %'`,
    )
    await untilHeard(other)
    expect(await other.resolve({ host: 'late.test' })).toMatchObject({ kind: 'static' })
    await router.tenants.domains.add('acme', 'late.test')
    await vi.waitFor(async () =>
      expect(await other.resolve({ host: 'late.test' })).toMatchObject({ kind: 'tenant' }),
    )
    await router.close()
    await other.close()
  })

  it('forgets soon where nothing is heard', async () => {
    const { router, another } = await setUp()
    const deaf = another({ cache: { ttl: 60_000, listen: false } })
    await deaf.tenants.get('acme')
    await router.tenants.suspend('acme')
    await vi.waitFor(
      () => expect(deaf.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
      { timeout: 5_000 },
    )
    await router.close()
  })

  it('tells from memory what it knows, and says when it has to ask', async () => {
    const { router } = await setUp()
    expect(router.peek({ host: 'acme.test' })).toBeUndefined()
    const destination = await router.resolve({ host: 'acme.test' })
    expect(router.peek({ host: 'acme.test' })).toEqual({ destination })
    await router.close()
  })

  it('takes the host from the headers', async () => {
    const { router, another } = await setUp()
    const headers = { host: 'acme.test', 'x-forwarded-host': 'evil.test, acme.test' }
    expect(await router.resolve({ headers })).toMatchObject({ kind: 'tenant' })
    expect(await router.resolve({ headers: new Headers({ host: 'acme.test' }) })).toMatchObject({
      kind: 'tenant',
    })
    const proxied = another({ domains: { trustForwardedHost: true } })
    expect(await proxied.resolve({ headers })).toMatchObject({ kind: 'static' })
    await router.close()
    await proxied.close()
  })

  it('ends its connection with close', async () => {
    const { router } = await setUp()
    await untilHeard(router)
    await router.close()
    await vi.waitFor(async () => {
      const { rows } = await database.admin.query(
        `select from pg_stat_activity where datname = current_database() and query like 'listen %'`,
      )
      expect(rows).toEqual([])
    })
  })
})

describe('domains', () => {
  it('leads below a base to the tenant with that slug', async () => {
    const { router, main } = await setUp({ domains: { base: 'Example.com' } })
    expect(await router.resolve({ host: 'ACME.example.com:80' })).toMatchObject({
      kind: 'tenant',
      tenant: { slug: 'acme' },
      domain: { host: 'acme.example.com', path: '' },
      redirect: { host: 'acme.test' },
    })
    for (const host of ['nobody.example.com', 'a.acme.example.com', 'example.com', 'acme.com']) {
      expect(await router.resolve({ host })).toEqual({ kind: 'static', schema: main })
    }
    await router.close()
  })

  it('keeps the sub-domain of a slug for its tenant', async () => {
    const { router } = await setUp({ domains: { base: 'example.com' } })
    await router.tenants.create({ slug: 'beta' })
    await expect(router.tenants.domains.add('beta', 'acme.example.com')).rejects.toMatchObject({
      code: 'DOMAIN_TAKEN',
      tenant: 'acme',
    })
  })

  it('says where to redirect to', async () => {
    const { router } = await setUp()
    const other = { host: 'shop.test', path: '/acme/loans' }
    expect(await router.resolve(other)).toMatchObject({ redirect: { host: 'acme.test' } })
    await router.tenants.domains.setPrimary('acme', 'shop.test/acme')
    expect(await router.resolve(other)).not.toHaveProperty('redirect')
    expect(await router.resolve({ host: 'acme.test' })).toMatchObject({
      redirect: { host: 'shop.test', path: '/acme' },
    })
    await router.close()
  })

  it('leads by a domain only when it is verified, and for one tenant', async () => {
    const { router } = await setUp({ domains: { requireVerified: true } })
    await router.tenants.create({ slug: 'beta' })
    const { domains } = router.tenants
    expect(await domains.add('beta', 'own.test')).toMatchObject({ verified: false })
    await domains.add('acme', 'own.test')
    expect(await router.resolve({ host: 'own.test' })).toMatchObject({ kind: 'static' })
    expect(await domains.verify('beta', 'own.test')).toMatchObject({ verified: true })
    expect(await router.resolve({ host: 'own.test' })).toMatchObject({ tenant: { slug: 'beta' } })
    await expect(domains.verify('acme', 'own.test')).rejects.toMatchObject({ code: 'DOMAIN_TAKEN' })
    await router.close()
  })

  it('reads www where it is told to', async () => {
    const { router } = await setUp({ domains: { ignoreWww: true } })
    await router.tenants.domains.add('acme', 'www.third.test')
    for (const host of ['www.acme.test', 'third.test', 'WWW.third.test']) {
      expect(await router.resolve({ host })).toMatchObject({ kind: 'tenant' })
    }
    await router.close()
  })

  it('removes a domain, and makes another the primary one', async () => {
    const { router } = await setUp()
    await router.tenants.domains.remove('acme', 'acme.test')
    expect(await router.tenants.domains.list('acme')).toMatchObject([
      { host: 'shop.test', primary: true },
    ])
    expect(await router.resolve({ host: 'acme.test' })).toMatchObject({ kind: 'static' })
    await expect(router.tenants.domains.remove('acme', 'acme.test')).rejects.toMatchObject({
      code: 'DOMAIN_NOT_FOUND',
    })
    await router.close()
  })

  it.each([
    { domains: { base: 'no host' } },
    { domains: { ignoreWWW: true } },
    { domains: { requireVerified: 'yes' } },
    { cache: { ttl: 0 } },
    { cache: { listen: 'yes' } },
    { cache: { size: 1 } },
  ])('refuses %j', (options) => {
    const wrong: unknown = { pool: database.pool(), ...options }
    expect(() => new SchemaRouter(wrong as SchemaRouterOptions)).toThrow(/option|host/i)
  })
})
