import { SchemaRouter } from 'tenantry'
import { describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'

const program = await findPgBouncer()
const database = useDatabase()

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
    const { rows } = await database.admin.query(
      `select from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    )
    expect(rows).toEqual([])
    await behind.close()
    await direct.close()
  })
})
