import { SchemaRouter, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

/** Longer than any test may take. */
const SLEEP = 'select pg_sleep(600)'

async function untilSleeping(count: number): Promise<void> {
  const sleeping = async (): Promise<number | undefined> => {
    const { rows } = await database.admin.query<{ count: number }>(
      `select count(*)::int from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep'`,
    )
    return rows[0]?.count
  }
  await expect.poll(sleeping, { timeout: 30_000 }).toBe(count)
}

describe('cancel', () => {
  it.each([
    ['in one round trip', `create table notes (); ${SLEEP}`],
    ['without a transaction', `-- postgres-migrations disable-transaction\n${SLEEP}`],
  ])('stops a migration that runs %s on the server', async (_way, text) => {
    const prefix = database.prefix()
    const first = { '1_loans.sql': 'create table loans ()' }
    const old = await migrations.fleet(prefix, { tenants: first })
    const before = new SchemaRouter({ pool: database.pool(), schemas: old })
    for (const slug of ['a', 'b', 'c']) await before.tenants.create({ slug })
    const tenants = { ...first, '2_slow.sql': text }
    const schemas = await migrations.fleet(prefix, { tenants })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const controller = new AbortController()
    const running = router.migrations.up({
      select: select.tenants(),
      concurrency: 2,
      cancel: controller.signal,
    })
    const failed = running.catch((error: unknown) => error)
    await untilSleeping(2)
    controller.abort()
    const error = await failed
    expect(isTenantryError(error) && error.report).toMatchObject({
      outcomes: [
        { status: 'failed', error: { sqlState: '57014' } },
        { status: 'failed', error: { sqlState: '57014' } },
        { status: 'skipped', reason: 'the run was stopped' },
      ],
    })
    await untilSleeping(0)
    const { rows } = await database.admin.query('select 1 from pg_class where relname = $1', [
      'notes',
    ])
    expect(rows).toEqual([])
  })

  it('stops what router.each runs', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    for (const slug of ['a', 'b']) await router.tenants.create({ slug })
    const controller = new AbortController()
    const running = router.each(select.tenants(), (db) => db.query(SLEEP), {
      cancel: controller.signal,
    })
    const failed = running.catch((error: unknown) => error)
    await untilSleeping(1)
    controller.abort()
    const error = await failed
    expect(isTenantryError(error, 'RUN_FAILED') && error.report).toMatchObject({
      outcomes: [{ status: 'failed' }, { status: 'skipped' }],
    })
    await untilSleeping(0)
  })

  it('begins nothing where it was aborted before', async () => {
    const prefix = database.prefix()
    const old = await migrations.fleet(prefix, {})
    await new SchemaRouter({ pool: database.pool(), schemas: old }).tenants.create({ slug: 'a' })
    const tenants = { '1_loans.sql': 'create table loans ()' }
    const schemas = await migrations.fleet(prefix, { tenants })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const report = await router.migrations.up({
      select: select.tenants(),
      cancel: AbortSignal.abort(),
    })
    expect(report.outcomes).toMatchObject([{ status: 'skipped', reason: 'the run was stopped' }])
  })
})
