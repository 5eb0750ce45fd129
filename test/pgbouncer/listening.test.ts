import { SchemaRouter, type SchemaRouterOptions } from 'tenantry'
import { describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'

const program = await findPgBouncer()
const database = useDatabase()

const listeners = async (): Promise<readonly unknown[]> => {
  const { rows } = await database.admin.query(
    `select from pg_stat_activity where datname = current_database() and query ilike 'listen %'`,
  )
  return rows
}

/** A router behind a pooler that remembers for a minute forgets what another one changes. */
async function expectHeard(
  mode: 'transaction' | 'session',
  options: Pick<SchemaRouterOptions, 'cache' | 'scope'>,
): Promise<void> {
  if (program === undefined) return
  await using pooler = await startPgBouncer({ program, url: database.url, mode, size: 4 })
  const schemas = { tenants: { prefix: database.prefix() } }
  const slug = `of-${mode}`
  const pool = database.pool({ connectionString: pooler.url })
  pool.on('error', () => {})
  const behind = new SchemaRouter({ pool, schemas, ...options })
  const direct = new SchemaRouter({
    pool: database.pool(),
    schemas,
    cache: { listen: false },
  })
  await direct.tenants.create({ slug })
  await behind.tenants.get(slug)
  await vi.waitFor(async () => expect(await listeners()).toHaveLength(1), { timeout: 5_000 })
  await behind.tenants.get(slug)
  await direct.tenants.suspend(slug)
  await vi.waitFor(
    () => expect(behind.runAs(slug, () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
    { timeout: 5_000 },
  )
  await behind.close()
  await direct.close()
}

describe.skipIf(program === undefined)('a router behind PgBouncer in transaction mode', () => {
  it('leaves no LISTEN on a backend of others, and forgets soon instead', async () => {
    if (program === undefined) return
    await using pooler = await startPgBouncer({
      program,
      url: database.url,
      mode: 'transaction',
      size: 2,
    })
    const schemas = { tenants: { prefix: database.prefix() } }
    const pool = database.pool({ connectionString: pooler.url })
    // The pooler ends before the pool does.
    pool.on('error', () => {})
    const behind = new SchemaRouter({
      pool,
      schemas,
      cache: { ttl: 60_000 },
    })
    const direct = new SchemaRouter({ pool: database.pool(), schemas })
    await direct.tenants.create({ slug: 'acme' })
    await behind.tenants.get('acme')
    await direct.tenants.suspend('acme')
    await vi.waitFor(
      () =>
        expect(behind.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' }),
      { timeout: 5_000 },
    )
    expect(await listeners()).toEqual([])
    await behind.close()
    await direct.close()
  })

  it('hears of changes by a connection around the pooler', async () => {
    const listen = { connectionString: database.url }
    await expectHeard('transaction', { cache: { ttl: 60_000, listen } })
  })
})

describe.skipIf(program === undefined)('a router behind PgBouncer in session mode', () => {
  it('hears of changes through the pooler when it is told of the mode', async () => {
    await expectHeard('session', { cache: { ttl: 60_000 }, scope: { pooler: 'session' } })
  })
})
