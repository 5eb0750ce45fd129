import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import { type RunReport, SchemaRouter, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import {
  type FleetFiles,
  type FleetSchemas,
  type MigrationFiles,
  useMigrationFolders,
} from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = { '1_loans.sql': 'create table loans (id int primary key)' }
const GROWN: MigrationFiles = {
  ...LOANS,
  '2_seed.sql': 'insert into loans values (1)',
  '3_amount.sql': 'alter table loans add column amount int',
}

interface Setup {
  readonly prefix: string
  readonly schemas: FleetSchemas
}

/** A fleet with tenants on the first migration, and the schemas with all of them. */
async function setUp(
  slugs: readonly string[],
  grown: FleetFiles = { tenants: GROWN },
): Promise<Setup> {
  const prefix = database.prefix()
  const old = await migrations.fleet(prefix, { tenants: LOANS })
  const router = new SchemaRouter({ pool: database.pool(), schemas: old })
  for (const slug of slugs) await router.tenants.create({ slug })
  return { prefix, schemas: await migrations.fleet(prefix, grown) }
}

/** Calls `then` before the n-th transaction of a pool begins. */
function onTransaction(pool: Pool, wanted: number, then: () => Promise<unknown>): void {
  let seen = 0
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    const watched = async (...call: Parameters<typeof query>): Promise<unknown> => {
      const begins = textOf(call).startsWith('begin')
      if (begins && (seen += 1) === wanted) await then()
      return query(...call)
    }
    const replaced = (...call: Parameters<typeof query>): unknown =>
      textOf(call) === '' ? query(...call) : watched(...call)
    Object.assign(client, { query: replaced })
  })
}

/** The text of a query that nobody calls back; a text with COMMIT in it is a query of its own. */
function textOf([first, ...more]: readonly unknown[]): string {
  if (first instanceof pg.Query) return String(Reflect.get(first, 'text'))
  return typeof first === 'string' && typeof more.at(-1) !== 'function' ? first : ''
}

/** Lends a client in a transaction that holds a lock on the table. */
async function lock(table: string): Promise<PoolClient> {
  const client = await database.admin.connect()
  await client.query('begin')
  await client.query(`lock table ${table} in access share mode`)
  return client
}

async function unlock(client: PoolClient): Promise<void> {
  await client.query('rollback')
  client.release()
}

const slugsUpTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `s${index + 10}`)

describe('migrations.up by several runners at once', () => {
  it('migrates each schema exactly once, and fails for nobody', async () => {
    const { prefix, schemas } = await setUp(slugsUpTo(20))
    const runs = await Promise.all(
      [1, 2].map(() =>
        new SchemaRouter({ pool: database.pool(), schemas }).migrations.up({
          select: select.tenants(),
        }),
      ),
    )
    const [one, other] = runs
    expect(one?.outcomes).toHaveLength(20)
    const pairs = one?.outcomes.map(({ status }, index) => [status, other?.outcomes[index]?.status])
    const odd = pairs?.filter((pair) => !['current,done', 'done,current'].includes(pair.join()))
    expect(odd).toEqual([])
    for (const slug of slugsUpTo(20)) {
      const { rows } = await database.admin.query(
        `select array_agg(id order by id) as ids, (select count(*)::int from ${prefix}${slug}.loans) as loans
         from ${prefix}${slug}.migrations`,
      )
      expect(rows).toEqual([{ ids: [0, 1, 2, 3], loans: 1 }])
    }
  })

  it('makes registry and fixed schemas once in an empty database', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, { shared: LOANS, main: LOANS })
    const runs = await Promise.all(
      [1, 2, 3, 4].map(() => new SchemaRouter({ pool: database.pool(), schemas }).migrations.up()),
    )
    const done = runs.flatMap(({ outcomes }) => outcomes.filter(({ status }) => status === 'done'))
    expect(
      done
        .filter(({ applied }) => applied.length > 0)
        .map(({ schema }) => schema)
        .toSorted(),
    ).toEqual([`main_${prefix}`, `shared_${prefix}`])
  })

  it('lets a tenant be created while a run goes on', async () => {
    const { schemas } = await setUp(slugsUpTo(6))
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const [report, tenant] = await Promise.all([
      router.migrations.up({ select: select.tenants() }),
      router.tenants.create({ slug: 'late' }),
    ])
    expect(report.outcomes.filter(({ status }) => status === 'failed')).toEqual([])
    const [status] = await router.migrations.status({ select: select.names(tenant.slug) })
    expect(status).toMatchObject({ version: 3, pending: [] })
  })

  it('migrates as many schemas at a time as it is told, also on a smaller pool', async () => {
    const { schemas } = await setUp(slugsUpTo(6))
    const pool = database.pool({ max: 2 })
    const router = new SchemaRouter({ pool, schemas })
    const { outcomes } = await router.migrations.up({ select: select.tenants(), concurrency: 50 })
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'done'))
  })
})

describe('migrations.up when a lock is held', () => {
  it('tries again, and is done once the lock is free', async () => {
    const { prefix, schemas } = await setUp(['acme', 'beta'])
    const pool = database.pool()
    const holder = await lock(`${prefix}acme.loans`)
    let freed: Promise<void> | undefined
    // Two schemas, so the third transaction is the second attempt on the one that is locked.
    onTransaction(pool, 3, () => (freed = unlock(holder)))
    const router = new SchemaRouter({ pool, schemas })
    const report = await router.migrations.up({ select: select.tenants(), lockTimeout: 500 })
    await freed
    expect(report.outcomes).toMatchObject([
      { tenant: 'acme', status: 'done', attempts: 2, applied: ['2_seed.sql', '3_amount.sql'] },
      { tenant: 'beta', status: 'done', attempts: 1 },
    ])
  })

  it('gives up after some attempts, says why, and leaves the schema as it was', async () => {
    const { prefix, schemas } = await setUp(['acme'])
    const holder = await lock(`${prefix}acme.loans`)
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const events: string[] = []
    const report = await failedRun(
      router.migrations.up({
        select: select.tenants(),
        lockTimeout: 1,
        onEvent: ({ type }) => events.push(type),
      }),
    )
    expect(events.filter((type) => type === 'retried')).toHaveLength(4)
    expect(report.outcomes).toMatchObject([
      {
        status: 'failed',
        attempts: 5,
        error: { code: 'MIGRATION_FAILED', migration: '3_amount.sql', sqlState: '55P03' },
      },
    ])
    await unlock(holder)
    const { rows } = await database.admin.query(`select * from ${prefix}acme.loans`)
    expect(rows).toEqual([])
  })

  it('waits for another runner on the same schema, and then finds nothing to do', async () => {
    const { prefix, schemas } = await setUp(['acme'])
    const holder = await lock(`${prefix}acme.loans`)
    const up = (): Promise<RunReport> =>
      new SchemaRouter({ pool: database.pool(), schemas }).migrations.up({
        select: select.tenants(),
      })
    const first = up()
    await waitingBackends(prefix, 1)
    const second = up()
    await waitingBackends(prefix, 2)
    await unlock(holder)
    expect((await first).outcomes).toMatchObject([{ status: 'done', attempts: 1 }])
    expect((await second).outcomes).toMatchObject([{ status: 'current', attempts: 1 }])
  })

  it('tries again when the server ends the connection', async () => {
    const { prefix, schemas } = await setUp(['acme'])
    const holder = await lock(`${prefix}acme.loans`)
    const running = new SchemaRouter({ pool: database.pool(), schemas }).migrations.up({
      select: select.tenants(),
    })
    const [pid] = await waitingBackends(prefix, 1)
    await database.admin.query('select pg_terminate_backend($1)', [pid])
    await waitingBackends(prefix, 1)
    await unlock(holder)
    expect((await running).outcomes).toMatchObject([{ status: 'done', attempts: 2 }])
  })
})

describe('migrations.up with a signal', () => {
  it('skips what has not begun, and finishes what runs', async () => {
    const { schemas } = await setUp(['acme', 'beta', 'gamma'])
    const stop = new AbortController()
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const { outcomes } = await router.migrations.up({
      select: select.tenants(),
      concurrency: 1,
      signal: stop.signal,
      onOutcome: ({ tenant }) => {
        if (tenant === 'acme') stop.abort()
      },
    })
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'skipped', attempts: 0, reason: 'the run was stopped' },
      { tenant: 'gamma', status: 'skipped', attempts: 0, reason: 'the run was stopped' },
    ])
    const left = await router.migrations.up({ select: select.tenants() })
    expect(left.outcomes.map(({ status }) => status)).toEqual(['current', 'done', 'done'])
  })

  it('changes nothing when it is aborted before', async () => {
    const { prefix, schemas } = await setUp(['acme'])
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const { outcomes } = await router.migrations.up({ signal: AbortSignal.abort() })
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['skipped']))
    const { rows } = await database.admin.query(`select id from ${prefix}acme.migrations`)
    expect(rows).toHaveLength(2)
  })
})

/** Waits until so many backends wait for a lock on behalf of a fleet; tells their process ids. */
async function waitingBackends(prefix: string, count: number): Promise<readonly number[]> {
  for (;;) {
    const { rows } = await database.admin.query<{ pid: number }>(
      `select a.pid from pg_stat_activity a
       where a.datname = current_database() and a.wait_event_type = 'Lock'
         and position($1 in a.query) > 0 order by a.query_start`,
      [prefix],
    )
    if (rows.length >= count) return rows.map(({ pid }) => pid)
  }
}

/** What a run did, although it failed. */
async function failedRun(running: Promise<RunReport>): Promise<RunReport> {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
  return error.report as RunReport
}
