import { join } from 'node:path'
import type { Pool } from 'pg'
import {
  type RunReport,
  SchemaRouter,
  type SchemaRouterOptions,
  TenantryError,
  isTenantryError,
  select,
} from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import {
  type FleetFiles,
  type MigrationFiles,
  useMigrationFolders,
} from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_create_loans.sql': 'create table loans (id int primary key, amount int)',
  '2_seed_loans.sql': 'insert into loans values (1, 100)',
}

interface Setup {
  readonly prefix: string
  readonly main: string
  readonly shared: string
  readonly router: SchemaRouter
  /** The same fleet with other migrations, on a pool of its own. */
  withFiles(files: FleetFiles, pool?: Pool): Promise<SchemaRouter>
}

/** A fleet whose tenants have had `files.tenants`; nothing else of it is migrated. */
async function setUp(tenants: readonly string[] = [], files: FleetFiles = {}): Promise<Setup> {
  const prefix = database.prefix()
  const withFiles = async (others: FleetFiles, pool = database.pool()): Promise<SchemaRouter> =>
    new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, others) })
  const router = await withFiles(files)
  for (const slug of tenants) await router.tenants.create({ slug })
  return { prefix, main: `main_${prefix}`, shared: `shared_${prefix}`, router, withFiles }
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

/** Everything that a schema holds: its relations with their columns, and its ledger. */
async function contentOf(schema: string): Promise<unknown> {
  const { rows } = await database.admin.query(
    `select c.relname, c.relkind, a.attname, a.atttypid::regtype::text as type
     from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relnamespace = to_regnamespace($1) order by 1, 3`,
    [schema],
  )
  return { rows, ledger: await ledgerOf(schema).catch(() => undefined) }
}

async function ledgerOf(schema: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ entry: string }>(
    `select id || ' ' || name || ' ' || hash || ' ' || executed_at as entry
     from ${schema}.migrations order by id`,
  )
  return rows.map(({ entry }) => entry)
}

async function exists(table: string): Promise<boolean> {
  const { rows } = await database.admin.query('select to_regclass($1) as found', [table])
  return rows[0]?.found !== null
}

const statuses = ({ outcomes }: RunReport): readonly (readonly string[])[] =>
  outcomes.map(({ schema, status }) => [schema, status])

describe('migrations.up', () => {
  it('brings shared, static and tenant schemas up to date, in this order', async () => {
    const { router, withFiles, prefix, shared, main } = await setUp(['acme', 'beta'])
    await router.tenants.suspend('beta')
    const heard: string[] = []
    const next = await withFiles({
      shared: { '1_currencies.sql': 'create table currencies (code text)' },
      main: {
        '1_plans.sql': 'create table plans (id int)',
        '2_users.sql': 'create table users ()',
      },
      tenants: LOANS,
    })
    const { outcomes } = await next.migrations.up({
      onOutcome: ({ schema }) => heard.push(schema),
    })
    expect(outcomes).toMatchObject([
      { schema: shared, kind: 'shared', status: 'done', applied: ['1_currencies.sql'] },
      { schema: main, kind: 'static', status: 'done', applied: ['1_plans.sql', '2_users.sql'] },
      { schema: `${prefix}acme`, kind: 'tenant', tenant: 'acme', status: 'done', attempts: 1 },
      { schema: `${prefix}beta`, kind: 'tenant', tenant: 'beta', status: 'done', attempts: 1 },
    ])
    expect(heard.toSorted()).toEqual(outcomes.map(({ schema }) => schema).toSorted())
    expect(heard.slice(0, 2)).toEqual([shared, main])
    expect(await exists(`${shared}.currencies`)).toBe(true)
    expect(await exists(`${main}.users`)).toBe(true)
    expect(await exists(`${prefix}beta.loans`)).toBe(true)
  })

  it('makes static schemas, also those without migrations, and says so once', async () => {
    const { router, main, shared } = await setUp()
    expect(statuses(await router.migrations.up())).toEqual([
      [shared, 'done'],
      [main, 'done'],
    ])
    expect(statuses(await router.migrations.up())).toEqual([
      [shared, 'current'],
      [main, 'current'],
    ])
    const { rows } = await router.withSchema(main, (db) => db.query('select 1 as one'))
    expect(rows).toEqual([{ one: 1 }])
  })

  it('begins no tenant when a static schema failed, and says why', async () => {
    const { withFiles, prefix, main, shared } = await setUp(['acme'])
    const broken = await withFiles({
      shared: { '1_ok.sql': 'select 1' },
      main: { '1_break.sql': 'select * from nowhere' },
      tenants: LOANS,
    })
    const { outcomes } = await failedRun(broken.migrations.up())
    expect(outcomes).toMatchObject([
      { schema: shared, status: 'done' },
      { schema: main, status: 'failed' },
      {
        schema: `${prefix}acme`,
        status: 'skipped',
        attempts: 0,
        reason: 'a static schema failed before',
      },
    ])
    expect(await exists(`${prefix}acme.loans`)).toBe(false)
    expect(await exists(main)).toBe(false)
  })

  it('leaves a tenant that fails exactly as it was, and does the others', async () => {
    const { withFiles, prefix } = await setUp(['acme', 'beta', 'gamma'], { tenants: LOANS })
    await database.admin.query(`insert into ${prefix}beta.loans values (2, null)`)
    const before = await contentOf(`${prefix}beta`)
    const stricter = await withFiles({
      tenants: {
        ...LOANS,
        '3_add_fees.sql': 'create table fees (id int)',
        '4_strict.sql': 'alter table loans alter amount set not null',
      },
    })
    const report = await failedRun(stricter.migrations.up({ select: select.tenants() }))
    expect(report.outcomes).toMatchObject([
      { tenant: 'acme', status: 'done', applied: ['3_add_fees.sql', '4_strict.sql'] },
      {
        tenant: 'beta',
        status: 'failed',
        applied: [],
        attempts: 1,
        error: { code: 'MIGRATION_FAILED', migration: '4_strict.sql', sqlState: '23502' },
      },
      { tenant: 'gamma', status: 'done' },
    ])
    expect(await contentOf(`${prefix}beta`)).toEqual(before)
    expect(await exists(`${prefix}gamma.fees`)).toBe(true)
  })

  it('does what is left when it is run again', async () => {
    const { withFiles, prefix } = await setUp(['acme', 'beta'], { tenants: LOANS })
    await database.admin.query(`insert into ${prefix}beta.loans values (2, null)`)
    const stricter = await withFiles({
      tenants: { ...LOANS, '3_strict.sql': 'alter table loans alter amount set not null' },
    })
    await failedRun(stricter.migrations.up({ select: select.tenants() }))
    const untouched = await ledgerOf(`${prefix}acme`)
    await database.admin.query(`update ${prefix}beta.loans set amount = 0 where amount is null`)
    const { outcomes } = await stricter.migrations.up({ select: select.tenants() })
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'current', applied: [] },
      { tenant: 'beta', status: 'done', applied: ['3_strict.sql'] },
    ])
    expect(await ledgerOf(`${prefix}acme`)).toEqual(untouched)
  })

  it('names schema, file, line and statement of a syntax error behind umlauts and emoji', async () => {
    const { prefix } = await setUp(['acme'])
    const folder = await migrations.folder({
      '1_größe.sql': 'create table "größe 😀" (id int); -- ä ö ü 😀\n',
      '2_plain.sql': 'create table plain (id int)',
      '3_break.sql': [
        '-- Ümläute und 😀😀 davor',
        `comment on table plain is 'größer 𝒳';`,
        '',
        'create table broken (',
        `  id int, -- 😀`,
        `  name text default 'ü',`,
        '  amount integr not null foo',
        ');',
        'select 1;',
      ].join('\n'),
      '4_after.sql': 'create table later (id int)',
    })
    const schemas = {
      shared: { name: `shared_${prefix}` },
      tenants: { prefix, migrations: folder },
    }
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    const { outcomes } = await failedRun(
      router.migrations.up({ select: select.tenants(), lint: false }),
    )
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}acme`,
      migration: '3_break.sql',
      file: join(folder, '3_break.sql'),
      line: 7,
      statement: expect.stringMatching(
        /^create table broken \([^]*amount integr not null foo\n\)$/,
      ),
      sqlState: '42601',
      message: expect.stringMatching(
        /^3_break\.sql, line 7, failed in schema ".*acme": syntax error/,
      ),
      cause: { code: '42601' },
    })
  })

  it('names the line of an error that is only noticed when the statement is run', async () => {
    const { withFiles } = await setUp(['acme'])
    const broken = await withFiles({
      tenants: {
        '1_ok.sql': `-- 😀 ü\ncreate table a (id int);`,
        '2_break.sql': `-- 😀 ü\ninsert into a values (1);\n\ninsert into a\n  values (oops);\nselect 1`,
      },
    })
    const { outcomes } = await failedRun(broken.migrations.up({ select: select.tenants() }))
    expect(outcomes[0]?.error).toMatchObject({
      migration: '2_break.sql',
      line: 5,
      statement: 'insert into a\n  values (oops)',
      sqlState: '42703',
    })
  })

  it('puts a violated constraint, which has no position, down to the right file', async () => {
    const { withFiles } = await setUp(['acme'])
    const broken = await withFiles({
      tenants: {
        ...LOANS,
        '3_again.sql': 'insert into loans values (2, 5); insert into loans values (1, 7)',
        '4_after.sql': 'create table later (id int)',
      },
    })
    const { outcomes } = await failedRun(broken.migrations.up({ select: select.tenants() }))
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      migration: '3_again.sql',
      sqlState: '23505',
      message: expect.stringContaining('loans_pkey'),
    })
    expect(outcomes[0]?.error).not.toHaveProperty('line')
  })

  it('names the file of an error inside a function that the migration calls', async () => {
    const { withFiles } = await setUp(['acme'])
    const broken = await withFiles({
      tenants: {
        ...LOANS,
        '3_do.sql': `do $$ begin perform 1; raise exception 'no luck' using errcode = 'P0042'; end $$`,
      },
    })
    const { outcomes } = await failedRun(broken.migrations.up({ select: select.tenants() }))
    expect(outcomes[0]?.error).toMatchObject({
      migration: '3_do.sql',
      sqlState: 'P0042',
      message: expect.stringContaining('no luck'),
    })
  })

  it('names the file that leaves a quote open', async () => {
    const { withFiles, prefix } = await setUp(['acme'])
    const broken = await withFiles({
      tenants: {
        ...LOANS,
        '3_open.sql': `select 1;\ncomment on table loans is 'it;\n`,
        '4_close.sql': `select '; drop table loans; --'`,
      },
    })
    const { outcomes } = await failedRun(
      broken.migrations.up({ select: select.tenants(), lint: false }),
    )
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      migration: '3_open.sql',
      line: 2,
    })
    expect(await exists(`${prefix}acme.loans`)).toBe(false)
  })

  it('rejects an error on a pool with a time limit, too', async () => {
    const { withFiles } = await setUp(['acme'])
    const files = { tenants: { '1_break.sql': 'select * from nowhere' } }
    const router = await withFiles(files, database.pool({ query_timeout: 60_000 }))
    const { outcomes } = await failedRun(router.migrations.up({ select: select.tenants() }))
    expect(outcomes).toMatchObject([{ error: { migration: '1_break.sql', sqlState: '42P01' } }])
  })

  it('says in one error how many failed, and which', async () => {
    const { withFiles, prefix } = await setUp(['acme', 'beta'])
    const broken = await withFiles({ tenants: { '1_break.sql': 'select * from nowhere' } })
    const running = broken.migrations.up({ select: select.tenants() })
    await expect(running).rejects.toBeInstanceOf(TenantryError)
    await expect(running).rejects.toMatchObject({
      code: 'MIGRATION_RUN_FAILED',
      message: expect.stringMatching(
        new RegExp(`^2 of 2 schemas failed[^]*${prefix}acme: 1_break[^]*${prefix}beta: 1_break`),
      ),
      cause: { code: 'MIGRATION_FAILED', sqlState: '42P01' },
    })
  })

  it('takes nothing but the selected schemas', async () => {
    const { withFiles, prefix, main } = await setUp(['acme', 'beta'])
    const router = await withFiles({ main: LOANS, tenants: LOANS })
    const report = await router.migrations.up({
      select: select.union(select.tenants(), select.static()),
      exclude: ['beta'],
    })
    expect(statuses(report)).toEqual([
      [main, 'done'],
      [`${prefix}acme`, 'done'],
    ])
    expect(await exists(`${prefix}beta.loans`)).toBe(false)
  })

  it('sets the path anew for each file, and gives the client back with its own', async () => {
    const { withFiles, prefix } = await setUp(['acme'])
    const files = {
      tenants: {
        '1_dump.sql': `select pg_catalog.set_config('search_path', 'public', false);`,
        '2_second.sql': 'create table loans_of_second_file (id int)',
        '3_settings.sql': 'set search_path to public; set local search_path to public',
        '4_fourth.sql': 'create table loans_of_fourth_file (id int)',
      },
    }
    const pool = database.pool({ max: 1, options: '-c search_path=here' })
    const router = await withFiles(files, pool)
    await router.migrations.up({ select: select.tenants(), lint: false })
    expect(await exists(`${prefix}acme.loans_of_second_file`)).toBe(true)
    expect(await exists(`${prefix}acme.loans_of_fourth_file`)).toBe(true)
    const { rows } = await pool.query('show search_path')
    expect(rows).toEqual([{ search_path: 'here' }])
  })

  it('keeps a file with a COMMIT at its end in the transaction', async () => {
    const { withFiles, prefix } = await setUp(['acme'])
    const wrapped = 'begin;\ncreate table loans (id int);\ncommit;\n-- done'
    const broken = await withFiles({
      tenants: { '1_wrapped.sql': wrapped, '2_break.sql': 'select * from nowhere' },
    })
    await failedRun(broken.migrations.up({ select: select.tenants() }))
    expect(await exists(`${prefix}acme.loans`)).toBe(false)
  })

  it('keeps what follows a COMMIT in the schema', async () => {
    const { withFiles, prefix } = await setUp(['acme'])
    const split = 'begin;\ncreate table loans (id int);\ncommit;\ncreate table fees (id int);'
    const router = await withFiles({ tenants: { '1_split.sql': split } })
    await router.migrations.up({ select: select.tenants() })
    expect(await exists(`${prefix}acme.fees`)).toBe(true)
    expect(await exists('public.fees')).toBe(false)
  })

  it('is not confused by rows that a migration selects', async () => {
    const { withFiles } = await setUp(['acme'])
    const router = await withFiles({
      tenants: {
        '1_rows.sql': 'select generate_series(1, 1000) as id; select 7 as step, null as nothing',
        '2_break.sql': 'select 1 / 0',
      },
    })
    const { outcomes } = await failedRun(router.migrations.up({ select: select.tenants() }))
    expect(outcomes[0]?.error).toMatchObject({ migration: '2_break.sql', sqlState: '22012' })
  })

  it('reads its markers whatever the pool makes of numbers', async () => {
    const { withFiles } = await setUp(['acme'])
    const types = { getTypeParser: () => (value: string) => value }
    const router = await withFiles(
      { tenants: { ...LOANS, '3_again.sql': 'insert into loans values (1, 7)' } },
      database.pool({ types }),
    )
    const { outcomes } = await failedRun(router.migrations.up({ select: select.tenants() }))
    expect(outcomes[0]?.error).toMatchObject({ migration: '3_again.sql', sqlState: '23505' })
  })
})

describe('migrations.up on a schema that is not as it should be', () => {
  const BOTH: FleetFiles = { tenants: LOANS }

  async function refused(
    files: FleetFiles,
    spoil = '',
  ): Promise<{ error: unknown; same: boolean }> {
    const { withFiles, prefix } = await setUp(['acme', 'beta'], BOTH)
    const schema = `${prefix}acme`
    if (spoil !== '') await database.admin.query(spoil.replaceAll('SCHEMA', schema))
    const before = await contentOf(schema)
    const router = await withFiles(files)
    const { outcomes } = await failedRun(router.migrations.up({ select: select.names('acme') }))
    const after = await contentOf(schema)
    return { error: outcomes[0]?.error, same: JSON.stringify(after) === JSON.stringify(before) }
  }

  it('refuses a migration that was changed after it ran, and changes nothing', async () => {
    const changed = {
      ...LOANS,
      '1_create_loans.sql': 'create table loans (id bigint)',
      '3_more.sql': 'create table more ()',
    }
    expect(await refused({ tenants: changed })).toMatchObject({
      error: { code: 'MIGRATION_TAMPERED', migration: '1_create_loans.sql' },
      same: true,
    })
  })

  it('refuses a migration that was renamed after it ran, and changes nothing', async () => {
    const { '1_create_loans.sql': sql = '', ...others } = LOANS
    expect(await refused({ tenants: { ...others, '1_add_loans.sql': sql } })).toMatchObject({
      error: { code: 'MIGRATION_TAMPERED', migration: '1_add_loans.sql' },
      same: true,
    })
  })

  it('refuses a schema that is newer than the set, and changes nothing', async () => {
    const { '1_create_loans.sql': sql = '' } = LOANS
    expect(await refused({ tenants: { '1_create_loans.sql': sql } })).toMatchObject({
      error: { code: 'MIGRATION_UNKNOWN', migration: 'seed_loans' },
      same: true,
    })
  })

  it('refuses a schema that lacks an older migration, and changes nothing', async () => {
    const files = { tenants: { ...LOANS, '3_more.sql': 'create table more ()' } }
    const spoil = 'delete from SCHEMA.migrations where id = 1'
    expect(await refused(files, spoil)).toMatchObject({
      error: { code: 'MIGRATION_OUT_OF_ORDER', migration: '1_create_loans.sql' },
      same: true,
    })
  })

  it('refuses a table of another tool in the place of the ledger, and changes nothing', async () => {
    const spoil = `alter table SCHEMA.migrations rename to gone;
                   create table SCHEMA.migrations (id serial, timestamp bigint, name text)`
    expect(await refused(BOTH, spoil)).toMatchObject({
      error: { code: 'MIGRATION_UNKNOWN', message: expect.stringContaining('.migrations') },
      same: true,
    })
  })

  it('does not let one such schema stop the others', async () => {
    const { withFiles, prefix } = await setUp(['acme', 'beta'], BOTH)
    await database.admin.query(`alter table ${prefix}acme.migrations drop column hash`)
    const router = await withFiles({
      tenants: { ...LOANS, '3_more.sql': 'create table more ()' },
    })
    const report = await failedRun(router.migrations.up({ select: select.tenants() }))
    expect(statuses(report)).toEqual([
      [`${prefix}acme`, 'failed'],
      [`${prefix}beta`, 'done'],
    ])
  })

  it('refuses a tenant whose schema is missing, and does not make it', async () => {
    const { withFiles, prefix } = await setUp(['acme', 'beta'], BOTH)
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    for (const files of [BOTH, {}]) {
      const router = await withFiles(files)
      const { outcomes } = await failedRun(router.migrations.up({ select: select.tenants() }))
      expect(outcomes).toMatchObject([
        { tenant: 'acme', status: 'failed', error: { code: 'SCHEMA_MISSING' } },
        { tenant: 'beta', status: 'current' },
      ])
    }
    expect(await contentOf(`${prefix}acme`)).toMatchObject({ rows: [] })
  })

  it('refuses a set with a wrong file before it connects', async () => {
    const pool = database.pool()
    const { withFiles } = await setUp()
    for (const name of ['no_number.sql', '2_gap.sql']) {
      const router = await withFiles({ tenants: { [name]: 'select 1' } }, pool)
      await expect(router.migrations.up()).rejects.toMatchObject({
        code: 'MIGRATION_SOURCE_INVALID',
        message: expect.stringContaining(name),
      })
    }
    expect(pool.totalCount).toBe(0)
  })

  it('refuses a folder that is not there', async () => {
    const schemas = { tenants: { migrations: 'migrations/nowhere' } }
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await expect(router.migrations.up()).rejects.toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      file: expect.stringMatching(/migrations\/nowhere$/),
    })
  })
})

describe('migrations.up with a migration that sets what outlives it', () => {
  it.each([
    ['a setting', `set session_replication_role = replica`],
    ['a temporary table', 'create temp table scratch (id int)'],
    ['a lock', 'select pg_advisory_lock(7)'],
  ])('leaves %s to nobody', async (_, sql) => {
    const { withFiles } = await setUp(['acme'])
    const pool = database.pool({ max: 1 })
    const router = await withFiles({ tenants: { '1_set.sql': sql } }, pool)
    await router.migrations.up({ select: select.tenants() })
    const { rows } = await pool.query(
      `select current_setting('session_replication_role') as role,
              to_regclass('pg_temp.scratch') as scratch,
              (select count(*)::int from pg_locks
               where locktype = 'advisory' and pid = pg_backend_pid()) as locks`,
    )
    expect(rows).toEqual([{ role: 'origin', scratch: null, locks: 0 }])
  })
})

describe('migrations.up with nothing to do', () => {
  it('says that every schema is current, and writes nothing', async () => {
    const files = { shared: { '1_a.sql': 'create table a ()' }, main: LOANS, tenants: LOANS }
    const { router, withFiles, prefix, main, shared } = await setUp(['acme', 'beta'], files)
    await router.migrations.up()
    // Every write would fail on this pool, also one that changes nothing.
    const readOnly = database.pool({ options: '-c default_transaction_read_only=on' })
    const again = await withFiles(files, readOnly)
    expect(statuses(await again.migrations.up())).toEqual([
      [shared, 'current'],
      [main, 'current'],
      [`${prefix}acme`, 'current'],
      [`${prefix}beta`, 'current'],
    ])
  })

  it('leaves schemas alone that have no set, whoever migrated them', async () => {
    const { withFiles, prefix, shared } = await setUp(['acme'], { tenants: LOANS })
    await database.admin.query(`create table ${shared}.migrations (id serial, timestamp bigint)`)
    const router = await withFiles({}, database.pool())
    const report = await router.migrations.up({ exclude: [`main_${prefix}`] })
    expect(statuses(report)).toEqual([
      [shared, 'current'],
      [`${prefix}acme`, 'current'],
    ])
  })

  it('has nothing to report when nothing is selected', async () => {
    const { router } = await setUp()
    const report = await router.migrations.up({ select: select.tenants() })
    expect(report.outcomes).toEqual([])
  })

  it('needs no right to make schemas where they are there', async () => {
    const { router, withFiles, prefix, shared, main } = await setUp(['acme'], { tenants: LOANS })
    await router.migrations.up()
    const role = `worker_of_${database.name}`
    await database.admin.query(
      `create role ${role};
       grant usage, create on schema ${shared}, ${main}, ${prefix}acme to ${role};
       grant all on all tables in schema ${shared}, ${main}, ${prefix}acme to ${role};`,
    )
    try {
      const pool = database.pool({ options: `-c role=${role}` })
      const next = await withFiles(
        { shared: LOANS, main: LOANS, tenants: { ...LOANS, '3_more.sql': 'create table more ()' } },
        pool,
      )
      expect(statuses(await next.migrations.up())).toEqual([
        [shared, 'done'],
        [main, 'done'],
        [`${prefix}acme`, 'done'],
      ])
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })
})

describe('migrations.up with options that are wrong', () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['concurrency of 0', { concurrency: 0 }, 'concurrency'],
    ['negative concurrency', { concurrency: -1 }, 'concurrency'],
    ['concurrency that is no number', { concurrency: NaN }, 'concurrency'],
    ['concurrency as a text', { concurrency: '4' }, 'concurrency'],
    ['a half', { concurrency: 1.5 }, 'concurrency'],
    ['endless concurrency', { concurrency: Infinity }, 'concurrency'],
    ['a lock timeout of 0', { lockTimeout: 0 }, 'lockTimeout'],
    ['a lock timeout as a text', { lockTimeout: '1s' }, 'lockTimeout'],
    ['exclude as a text', { exclude: 'acme' }, 'exclude'],
    ['an empty text for exclude', { exclude: '' }, 'exclude'],
  ]

  it.each(wrong)('refuses %s before it connects', async (_, options, option) => {
    const pool = database.pool()
    const router = new SchemaRouter({ pool })
    await expect(router.migrations.up(options as object)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option,
    })
    expect(pool.totalCount).toBe(0)
  })

  it('refuses what is no selector', async () => {
    const router = new SchemaRouter({ pool: database.pool() })
    const options: unknown = { select: 'tenants' }
    await expect(router.migrations.up(options as object)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'select',
    })
  })

  it.each<readonly [string, SchemaRouterOptions['schemas'], string]>([
    ['an empty prefix', { tenants: { prefix: '' } }, 'NAME_INVALID'],
    ['a prefix with a quote', { tenants: { prefix: 'te"nant_' } }, 'NAME_INVALID'],
    ['a static schema that is the shared one', { static: { public: {} } }, 'OPTIONS_INVALID'],
    ['a static schema with the prefix', { static: { tenant_x: {} } }, 'OPTIONS_INVALID'],
  ])('refuses a router with %s before it connects', (_, schemas, code) => {
    const pool = database.pool()
    expect(() => new SchemaRouter({ pool, ...(schemas && { schemas }) })).toThrow(
      expect.objectContaining({ code }),
    )
    expect(pool.totalCount).toBe(0)
  })
})
