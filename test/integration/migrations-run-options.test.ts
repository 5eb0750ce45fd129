import { type RunReport, SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const SLUGS = ['acme', 'beta', 'gamma', 'omega']

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
  up(options?: UpOptions): Promise<RunReport>
}

/** Four tenants that need one more migration, which fails where the table `fees` is there already. */
async function setUp(...broken: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const first = { '1_loans.sql': 'create table loans ()' }
  const old = await migrations.fleet(prefix, { tenants: first })
  const before = new SchemaRouter({ pool: database.pool(), schemas: old })
  for (const slug of SLUGS) await before.tenants.create({ slug })
  for (const slug of broken) await database.admin.query(`create table ${prefix}${slug}.fees ()`)
  const tenants = { ...first, '2_fees.sql': 'create table fees ()' }
  const schemas = await migrations.fleet(prefix, { tenants })
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  const up = (options: UpOptions = {}): Promise<RunReport> =>
    router.migrations.up({ select: select.tenants(), concurrency: 1, ...options }).catch(reportOf)
  return { prefix, router, up }
}

function reportOf(error: unknown): RunReport {
  if (isTenantryError(error) && error.report !== undefined) return error.report as RunReport
  throw error
}

const statuses = ({ outcomes }: RunReport): readonly string[] =>
  outcomes.map(({ status }) => status)

describe('migrations.up', () => {
  it('begins nothing more after a failure with onFailure: stop', async () => {
    const { prefix, up } = await setUp('beta')
    const report = await up({ onFailure: 'stop' })
    expect(statuses(report)).toEqual(['done', 'failed', 'skipped', 'skipped'])
    expect(report.outcomes[3]?.reason).toBe(`schema "${prefix}beta" failed before`)
  })

  it('skips the others when a canary fails', async () => {
    const { up } = await setUp('acme')
    const report = await up({ canary: 2, concurrency: 4 })
    expect(statuses(report)).toEqual(['failed', 'done', 'skipped', 'skipped'])
    expect(report.outcomes[3]?.reason).toBe('a canary schema failed before')
  })

  it('goes on when no canary fails', async () => {
    const { up } = await setUp('omega')
    expect(statuses(await up({ canary: 1 }))).toEqual(['done', 'done', 'done', 'failed'])
  })

  it('tells of each schema that it is begun and finished', async () => {
    const { prefix, up } = await setUp('beta')
    const events: string[] = []
    await up({
      select: select.names('acme', 'beta'),
      onEvent: (event) => {
        if ('schema' in event) events.push(`${event.type} ${event.schema.slice(prefix.length)}`)
      },
    })
    expect(events).toEqual(['started acme', 'finished acme', 'started beta', 'finished beta'])
  })

  it('ends a statement that takes longer than it may', async () => {
    const { prefix } = await setUp()
    const schemas = await migrations.fleet(prefix, {
      tenants: { '1_loans.sql': 'create table loans ()', '2_slow.sql': 'select pg_sleep(600)' },
    })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const only = { select: select.names('acme'), statementTimeout: 50 }
    const report = await router.migrations.up(only).catch(reportOf)
    expect(report.outcomes).toMatchObject([{ status: 'failed', error: { sqlState: '57014' } }])
  })

  it('skips a tenant that is deleted during the run', async () => {
    const { prefix, up } = await setUp()
    const schema = `${prefix}acme`
    const gate = await database.admin.connect()
    await gate.query(`begin; lock table ${schema}.migrations in exclusive mode`)
    let deleted: Promise<unknown> | undefined
    const { outcomes } = await up({
      select: select.names('acme', 'omega'),
      onEvent: (event) => {
        if (event.type !== 'started' || event.schema !== schema) return
        deleted = database.admin
          .query(
            `drop schema ${prefix}omega cascade;
             delete from shared_${prefix}.tenantry_tenants where slug = 'omega'`,
          )
          .then(async () => {
            await gate.query('rollback')
            return gate.release()
          })
      },
    })
    await deleted
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'omega', status: 'skipped', reason: 'the tenant was deleted during the run' },
    ])
  })

  it('brings a tenant to the newest version that an old process creates during the run', async () => {
    const { prefix, router, up } = await setUp()
    const old = await migrations.fleet(prefix, {
      tenants: { '1_loans.sql': 'create table loans ()' },
    })
    const other = new SchemaRouter({ pool: database.pool(), schemas: old })
    let created: Promise<unknown> | undefined
    const schema = `${prefix}acme`
    const gate = await database.admin.connect()
    await gate.query(`begin; lock table ${schema}.migrations in exclusive mode`)
    const report = up({
      onEvent: (event) => {
        if (event.type !== 'started' || event.schema !== schema) return
        created = other.tenants.create({ slug: 'late' }).then(async () => {
          await gate.query('rollback')
          return gate.release()
        })
      },
    })
    expect((await report).outcomes).toHaveLength(5)
    await created
    expect(await router.migrations.status({ select: select.names('late') })).toMatchObject([
      { version: 2, pending: [] },
    ])
  })

  it('works on no more tenants than its limit, and takes those first that are behind', async () => {
    const { router, up } = await setUp()
    const done = async (options: UpOptions): Promise<readonly (readonly unknown[])[]> =>
      (await up(options)).outcomes.map(({ tenant, status }) => [tenant, status])
    expect(await done({ limit: 1, select: select.names('gamma', 'omega') })).toEqual([
      ['gamma', 'done'],
    ])
    expect(await router.whoWill(select.tenants(), { limit: 2 })).toEqual([
      expect.stringMatching(/acme$/),
      expect.stringMatching(/beta$/),
    ])
    expect(await done({ limit: 2 })).toEqual([
      ['acme', 'done'],
      ['beta', 'done'],
    ])
    // One of the four is behind, so that one other fills the limit.
    expect(await done({ limit: 2 })).toEqual([
      ['acme', 'current'],
      ['omega', 'done'],
    ])
    expect(await done({ limit: 9 })).toHaveLength(4)
  })

  it('says how a limited run gets on with the others while a tenant fails each time', async () => {
    const { router, prefix } = await setUp('acme')
    const up = (options: UpOptions): Promise<RunReport> =>
      router.migrations.up({ select: select.tenants(), ...options })
    for (let run = 0; run < 2; run += 1) {
      await expect(up({ limit: 1 })).rejects.toMatchObject({
        code: 'MIGRATION_RUN_FAILED',
        message: expect.stringContaining('leave acme out by "exclude", or by -x'),
      })
    }
    const { outcomes } = await up({ limit: 1, exclude: ['acme'] })
    expect(outcomes).toMatchObject([{ tenant: 'beta', status: 'done' }])
    await expect(up({})).rejects.not.toMatchObject({ message: expect.stringContaining('limit') })
    expect(await router.whoWill(select.behind())).toEqual([`${prefix}acme`])
  })

  it('reads the states of the fleet once, with a limit as well', async () => {
    const { prefix } = await setUp()
    const pool = database.pool()
    const counter = countQueries(pool)
    const tenants = {
      '1_loans.sql': 'create table loans ()',
      '2_fees.sql': 'create table fees ()',
    }
    const router = new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, { tenants }) })
    await router.migrations.up({ select: select.tenants() })
    counter.queries = 0
    await router.migrations.up({ select: select.tenants(), limit: 2 })
    expect(counter.queries).toBe(2)
    const seen: string[] = []
    for await (const { schema } of router.migrations.statuses({
      select: select.tenants(),
      limit: 2,
    }))
      seen.push(schema)
    expect(seen).toEqual([`${prefix}acme`, `${prefix}beta`])
    expect(counter.queries).toBe(4)
  })

  it('does not count shared and static schemas among its limit', async () => {
    const { prefix, up } = await setUp()
    const { outcomes } = await up({ select: select.all(), exclude: ['acme'], limit: 1 })
    expect(outcomes.map(({ schema }) => schema)).toEqual([
      `shared_${prefix}`,
      `main_${prefix}`,
      `${prefix}beta`,
    ])
  })

  it('refuses options that it does not know', async () => {
    const { router } = await setUp()
    const wrong: readonly object[] = [
      { onFailure: 'halt' },
      { atomicity: 'file' },
      { canary: -1 },
      { guard: { allow: 'public' } },
      { limit: 0 },
      { verify: 'yes' },
    ]
    for (const options of wrong) {
      await expect(router.migrations.up(options)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    }
  })
})

describe('router.each', () => {
  it('goes to no more tenants than its limit', async () => {
    const { router } = await setUp()
    const { outcomes } = await router.each(select.tenants(), async () => {}, { limit: 3 })
    expect(outcomes.map(({ tenant }) => tenant)).toEqual(['acme', 'beta', 'gamma'])
  })

  it('stops at a failure, and tells of each schema, when it is asked to', async () => {
    const { router } = await setUp()
    const events: string[] = []
    const running = router.each(
      select.tenants(),
      (_db, { tenant }) =>
        tenant?.slug === 'beta' ? Promise.reject(new Error('no')) : Promise.resolve(),
      { onFailure: 'stop', onEvent: ({ type }) => events.push(type) },
    )
    const report = await running.then(() => undefined, reportOf)
    expect(report && statuses(report)).toEqual(['done', 'failed', 'skipped', 'skipped'])
    expect(events.filter((type) => type === 'started')).toHaveLength(2)
  })
})
