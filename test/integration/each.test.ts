import { type EachOptions, type RunReport, SchemaRouter, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = { '1_loans.sql': 'create table loans (id int primary key)' }

async function setUp(
  ...slugs: readonly string[]
): Promise<{ readonly router: SchemaRouter; readonly prefix: string }> {
  const prefix = database.prefix()
  const schemas = await migrations.fleet(prefix, { shared: LOANS, main: LOANS, tenants: LOANS })
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  for (const slug of slugs) await router.tenants.create({ slug })
  await router.migrations.up()
  return { router, prefix }
}

async function loansIn(schema: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>(
    `select count(*)::int as count from ${schema}.loans`,
  )
  return rows[0]?.count ?? -1
}

/** What a run did, although it failed. */
async function failedRun(running: Promise<RunReport>): Promise<RunReport> {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTenantryError(error, 'RUN_FAILED')) throw error
  return error.report as RunReport
}

describe('each', () => {
  it('runs in every selected schema, shared first, then static, then tenants', async () => {
    const { router, prefix } = await setUp('acme', 'beta')
    const seen: unknown[] = []
    const { outcomes } = await router.each(select.all(), async (db, { schema, kind }) => {
      const { rows } = await db.query(
        `select current_schema() as here, 'loans'::regclass::text as loans`,
      )
      seen.push([schema, kind, rows[0]])
    })
    const here = (schema: string): unknown => ({ here: schema, loans: 'loans' })
    expect(seen).toEqual([
      [`shared_${prefix}`, 'shared', here(`shared_${prefix}`)],
      [`main_${prefix}`, 'static', here(`main_${prefix}`)],
      [`${prefix}acme`, 'tenant', here(`${prefix}acme`)],
      [`${prefix}beta`, 'tenant', here(`${prefix}beta`)],
    ])
    expect(outcomes.map(({ status, applied }) => [status, applied])).toEqual(
      Array.from({ length: 4 }, () => ['done', []]),
    )
  })

  it('keeps what each schema was given, also when many run at a time', async () => {
    const slugs = Array.from({ length: 8 }, (_, index) => `s${index}`)
    const { router, prefix } = await setUp(...slugs)
    await router.each(
      select.tenants(),
      async (db, { tenant }) => {
        await db.query('insert into loans select generate_series(1, $1)', [
          Number(tenant?.slug.slice(1)),
        ])
      },
      { concurrency: 4 },
    )
    const counts = await Promise.all(slugs.map((slug) => loansIn(prefix + slug)))
    expect(counts).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('makes the tenant ambient', async () => {
    const { router } = await setUp('acme')
    const ambient: unknown[] = []
    await router.each(select.union(select.shared(), select.tenants()), async () => {
      ambient.push(router.tryCurrent()?.slug)
    })
    expect(ambient).toEqual([undefined, 'acme'])
    expect(router.tryCurrent()).toBeUndefined()
  })

  it('runs in suspended tenants, which are still maintained', async () => {
    const { router, prefix } = await setUp('acme')
    await router.tenants.suspend('acme')
    await router.each(select.tenants(), (db) => db.query('insert into loans values (1)'))
    expect(await loansIn(`${prefix}acme`)).toBe(1)
  })

  it('leaves out what is excluded', async () => {
    const { router, prefix } = await setUp('acme', 'beta')
    const { outcomes } = await router.each(select.tenants(), async () => {}, { exclude: ['acme'] })
    expect(outcomes.map(({ schema }) => schema)).toEqual([`${prefix}beta`])
  })

  it('goes on after a failure, and fails with the report', async () => {
    const { router, prefix } = await setUp('acme', 'beta', 'gamma')
    const running = router.each(select.tenants(), async (db, { tenant }) => {
      await db.query('insert into loans values (1)')
      if (tenant?.slug === 'beta') throw new Error('no luck with beta')
    })
    await expect(running).rejects.toMatchObject({
      code: 'RUN_FAILED',
      message: expect.stringContaining(`${prefix}beta: no luck with beta`),
    })
    const { outcomes } = await failedRun(running)
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'failed', attempts: 1, error: { message: 'no luck with beta' } },
      { tenant: 'gamma', status: 'done' },
    ])
    // Without a transaction, what was done before the error stays.
    expect(await loansIn(`${prefix}beta`)).toBe(1)
  })

  it('rolls back the schema that failed, and only that, when asked for a transaction', async () => {
    const { router, prefix } = await setUp('acme', 'beta', 'gamma')
    await failedRun(
      router.each(
        select.tenants(),
        async (db, { tenant }) => {
          await db.query('insert into loans values (1)')
          if (tenant?.slug === 'beta') await db.query('insert into loans values (1)')
        },
        { transaction: true },
      ),
    )
    const counts = await Promise.all(
      ['acme', 'beta', 'gamma'].map((slug) => loansIn(prefix + slug)),
    )
    expect(counts).toEqual([1, 0, 1])
  })

  it('begins no tenant when the shared schema failed', async () => {
    const { router } = await setUp('acme')
    const { outcomes } = await failedRun(
      router.each(select.all(), async (_, { kind }) => {
        if (kind === 'shared') throw new Error('broken')
      }),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'skipped', 'skipped'])
  })

  it('says of a tenant that its schema is missing', async () => {
    const { router, prefix } = await setUp('acme', 'beta')
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    const { outcomes } = await failedRun(
      router.each(select.tenants(), (db) => db.query('select 1')),
    )
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'failed', error: { code: 'SCHEMA_MISSING' } },
      { tenant: 'beta', status: 'done' },
    ])
  })

  it('skips what has not begun once it is aborted', async () => {
    const { router } = await setUp('acme', 'beta')
    const stop = new AbortController()
    const { outcomes } = await router.each(select.tenants(), async () => stop.abort(), {
      signal: stop.signal,
    })
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'skipped', reason: 'the run was stopped' },
    ])
  })

  it('tells of each outcome as soon as it is known', async () => {
    const { router } = await setUp('acme', 'beta')
    const events: string[] = []
    await router.each(
      select.tenants(),
      async (_, { tenant }) => void events.push(`run ${tenant?.slug ?? ''}`),
      { onOutcome: ({ tenant, status }) => events.push(`${tenant ?? ''} ${status}`) },
    )
    expect(events).toEqual(['run acme', 'acme done', 'run beta', 'beta done'])
  })

  it.each([{ concurrency: 0 }, { concurrency: NaN }, { concurrency: '4' }, { exclude: 'acme' }])(
    'refuses %j before it runs anything',
    async (options) => {
      const { router } = await setUp('acme')
      const wrong: unknown = options
      let runs = 0
      const running = router.each(select.tenants(), async () => (runs += 1), wrong as EachOptions)
      await expect(running).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
      expect(runs).toBe(0)
    },
  )

  it('refuses an unknown name before it runs anything', async () => {
    const { router } = await setUp('acme')
    let runs = 0
    const running = router.each(select.names('acme', 'nobody'), async () => (runs += 1))
    await expect(running).rejects.toMatchObject({ code: 'SELECTOR_UNKNOWN', schema: 'nobody' })
    expect(runs).toBe(0)
  })
})
