import { type RunReport, SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = { '1_loans.sql': 'create table loans (id int, amount int)' }
const TENANTS = { select: select.tenants() }

interface Setup {
  readonly prefix: string
  up(files: MigrationFiles, options?: UpOptions): Promise<RunReport>
}

/** Tenants on the first migration, and a run that brings them more of them. */
async function setUp(...slugs: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const old = await migrations.fleet(prefix, { tenants: LOANS })
  const router = new SchemaRouter({ pool: database.pool(), schemas: old })
  for (const slug of slugs) await router.tenants.create({ slug })
  return {
    prefix,
    up: async (files, options = {}) => {
      const schemas = await migrations.fleet(prefix, { tenants: { ...LOANS, ...files } })
      const grown = new SchemaRouter({ pool: database.pool(), schemas })
      return grown.migrations.up({ ...TENANTS, ...options }).catch((error: unknown) => {
        if (isTenantryError(error, 'MIGRATION_RUN_FAILED')) return error.report as RunReport
        throw error
      })
    },
  }
}

async function ledger(schema: string): Promise<readonly number[]> {
  const { rows } = await database.admin.query<{ id: number }>(
    `select id from ${schema}.migrations order by id`,
  )
  return rows.map(({ id }) => id)
}

describe('migrations.up where one transaction is impossible', () => {
  it('builds an index concurrently in each schema, between transactions', async () => {
    const { prefix, up } = await setUp('acme', 'beta', 'gamma')
    const { outcomes } = await up({
      '2_fees.sql': 'create table fees ()',
      '3_index.sql': 'create index concurrently loans_amount on loans (amount);',
      '4_notes.sql': 'create table notes ()',
    })
    expect(outcomes).toMatchObject(
      ['acme', 'beta', 'gamma'].map((tenant) => ({
        tenant,
        status: 'done',
        atomic: false,
        applied: ['2_fees.sql', '3_index.sql', '4_notes.sql'],
      })),
    )
    for (const slug of ['acme', 'beta', 'gamma']) {
      expect(await ledger(prefix + slug)).toEqual([0, 1, 2, 3, 4])
      const { rows } = await database.admin.query(
        `select to_regclass($1 || '.loans_amount') is not null as made`,
        [prefix + slug],
      )
      expect(rows).toEqual([{ made: true }])
    }
  })

  it('builds it once in each schema when two runners are at work', async () => {
    const { prefix, up } = await setUp('acme', 'beta', 'gamma', 'omega')
    const files = {
      '2_fees.sql': 'create table fees ()',
      '3_index.sql': 'create index concurrently loans_amount on loans (amount)',
      '4_notes.sql': 'create table notes ()',
    }
    const reports = await Promise.all([up(files), up(files)])
    const applied = reports.flatMap(({ outcomes }) => outcomes.flatMap((each) => each.applied))
    expect(reports.flatMap(({ outcomes }) => outcomes.flatMap(({ error }) => error ?? []))).toEqual(
      [],
    )
    expect(applied.toSorted()).toEqual(
      Object.keys(files).flatMap((file) => Array.from({ length: 4 }, () => file)),
    )
    expect(await ledger(`${prefix}omega`)).toEqual([0, 1, 2, 3, 4])
  })

  it('runs a marked file with its own transactions in the right schema', async () => {
    const { prefix, up } = await setUp('acme', 'beta')
    await up({
      '2_marked.sql': `-- postgres-migrations disable-transaction
        begin; create table fees (); commit;
        create table notes (); vacuum loans;`,
    })
    for (const slug of ['acme', 'beta']) {
      const { rows } = await database.admin.query(
        `select relname from pg_class where relnamespace = $1::regnamespace
         and relname in ('fees', 'notes') order by 1`,
        [prefix + slug],
      )
      expect(rows).toEqual([{ relname: 'fees' }, { relname: 'notes' }])
    }
  })

  it('names the index that a failed build has left, and how to drop it', async () => {
    const { prefix, up } = await setUp('acme')
    await database.admin.query(`insert into ${prefix}acme.loans values (1), (1)`)
    const [outcome] = (
      await up({
        '2_fees.sql': 'create table fees ()',
        '3_index.sql': 'create unique index concurrently loans_id on loans (id)',
      })
    ).outcomes
    expect(outcome).toMatchObject({
      status: 'failed',
      attempts: 1,
      applied: ['2_fees.sql'],
      error: { code: 'MIGRATION_FAILED', migration: '3_index.sql', sqlState: '23505', line: 1 },
    })
    expect(outcome?.error?.message).toContain(`drop index concurrently "${prefix}acme"."loans_id";`)
    expect(outcome?.error?.message).toContain('2_fees.sql stays done')
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1, 2])
  })

  it('does not note a file as done that has changed the path on its way', async () => {
    const { prefix, up } = await setUp('acme')
    const files = {
      '2_marked.sql': `-- postgres-migrations disable-transaction
        set search_path to pg_catalog;`,
    }
    const { outcomes } = await up(files, { lint: false })
    expect(outcomes).toMatchObject([{ status: 'failed', error: { code: 'MIGRATION_ESCAPED' } }])
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1])
  })

  it('commits what a file has begun and left open, and says that it was not atomic', async () => {
    const { prefix, up } = await setUp('acme')
    const { outcomes } = await up({
      '2_open.sql': `-- postgres-migrations disable-transaction
        begin; create table fees ();`,
      '3_next.sql': 'create table notes ()',
    })
    expect(outcomes).toMatchObject([{ status: 'done', atomic: false }])
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1, 2, 3])
    const { rows } = await database.admin.query(`select to_regclass($1)::text as fees`, [
      `${prefix}acme.fees`,
    ])
    expect(rows).toEqual([{ fees: `${prefix}acme.fees` }])
  })

  it('gives role, settings and temporary tables back before the ledger and the next file', async () => {
    const { prefix, up } = await setUp('acme')
    const files = {
      '2_dirty.sql': `-- postgres-migrations disable-transaction
        do $$ begin execute 'create tem' || 'porary table scratch (id int)'; end $$;
        set statement_timeout = '77min'; set role pg_monitor;`,
      '3_clean.sql': `create table seen as select current_setting('statement_timeout') as timeout,
        current_user::text = session_user::text as own,
        (select count(*)::int from pg_class
          where relname = 'scratch' and relnamespace = pg_my_temp_schema()) as scratch;`,
    }
    const { outcomes } = await up(files, { lint: false })
    expect(outcomes).toMatchObject([{ status: 'done', atomic: false }])
    const { rows } = await database.admin.query(`select * from ${prefix}acme.seen`)
    expect(rows).toEqual([{ timeout: '0', own: true, scratch: 0 }])
  })

  it.each<readonly [string, string, (other: string) => string]>([
    ['makes a table', 'made', (o) => `create table ${o}.made ()`],
    ['builds an index', 'late', (o) => `create index concurrently late on ${o}.rates (id)`],
    ['adds a column', 'rates', (o) => `alter table ${o}.rates add note text`],
    ['changes the rights on a table', 'rates', (o) => `grant select on ${o}.rates to public`],
    ['drops a table', 'rates', (o) => `drop table ${o}.rates`],
    ['drops a function', 'f', (o) => `drop function ${o}.f()`],
    ['makes a function', 'g', (o) => `create function ${o}.g() returns int return 1`],
    ['adds a value to a type', 'mood', (o) => `alter type ${o}.mood add value 'sad'`],
    ['makes a schema', 'made', (o) => `create schema made_${o}`],
    ['commits in a block', 'made', (o) => `do $$ begin create table ${o}.made (); commit; end $$`],
  ])('does not note a file as done that %s elsewhere', async (_what, name, sql) => {
    const { prefix, up } = await setUp('acme', 'beta')
    const other = `other_${prefix}`
    await database.admin.query(
      `create schema ${other}; create table ${other}.rates (id int);
       create type ${other}.mood as enum ('fine'); create function ${other}.f() returns int return 1`,
    )
    const files = { '2_out.sql': `-- postgres-migrations disable-transaction\n${sql(other)};` }
    const options = { lint: false, onFailure: 'stop', concurrency: 1 } as const
    const [outcome] = (await up(files, options)).outcomes
    expect(outcome).toMatchObject({
      status: 'failed',
      applied: [],
      error: { code: 'MIGRATION_ESCAPED', schema: `${prefix}acme`, migration: '2_out.sql' },
    })
    expect(outcome?.error?.message).toContain('not rolled back')
    expect(outcome?.error?.message).toContain(name)
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1])
  })

  it('lets a file outside of a transaction do elsewhere what is allowed', async () => {
    const { prefix, up } = await setUp('acme')
    const other = `other_${prefix}`
    await database.admin.query(`create schema ${other}`)
    const files = {
      '2_out.sql': `-- postgres-migrations disable-transaction\ncreate table ${other}.made ();`,
    }
    const { outcomes } = await up(files, { lint: false, guard: { allow: [other] } })
    expect(outcomes).toMatchObject([{ status: 'done', atomic: false }])
  })

  it('commits after each migration where a new value of a type is used at once', async () => {
    const { prefix, up } = await setUp('acme')
    await up({ '2_state.sql': `create type state as enum ('open')` })
    const { outcomes } = await up({
      '2_state.sql': `create type state as enum ('open')`,
      '3_value.sql': `alter type state add value 'paid'`,
      '4_column.sql': `alter table loans add column state state default 'paid'`,
    })
    expect(outcomes).toMatchObject([
      { status: 'done', atomic: false, applied: ['3_value.sql', '4_column.sql'] },
    ])
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1, 2, 3, 4])
  })

  it('lets a tenant be created in one transaction all the same', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {
      tenants: { ...LOANS, '2_index.sql': 'create index concurrently on loans (id); vacuum loans' },
    })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.tenants.create({ slug: 'acme' })
    expect(await router.migrations.status(TENANTS)).toMatchObject([{ version: 2, pending: [] }])
  })
})

describe('migrations.up with atomicity: migration', () => {
  it('keeps what ran before the migration that fails, and says so', async () => {
    const { prefix, up } = await setUp('acme')
    const files = { '2_fees.sql': 'create table fees ()', '3_bad.sql': 'select 1 / 0' }
    const [outcome] = (await up(files, { atomicity: 'migration' })).outcomes
    expect(outcome).toMatchObject({ status: 'failed', applied: ['2_fees.sql'] })
    expect(outcome?.error?.message).toContain('The rest was taken back, 2_fees.sql stays done')
    expect(await ledger(`${prefix}acme`)).toEqual([0, 1, 2])
  })
})

describe('migrations.up between two files', () => {
  it('gives settings, role and temporary tables back', async () => {
    const { prefix, up } = await setUp('acme')
    const files = {
      '2_dirty.sql': `set statement_timeout = '77min'; set role pg_monitor; reset role;
        set local work_mem = '77MB'; create temporary table loans (wrong int);
        set search_path to pg_catalog;`,
      '3_clean.sql': `create table seen as select current_setting('statement_timeout') as timeout,
        current_setting('work_mem') as memory, current_user::text = session_user::text as own;
        alter table loans add column after int;`,
    }
    await up(files, { lint: false })
    const { rows } = await database.admin.query(`select * from ${prefix}acme.seen`)
    expect(rows).toEqual([{ timeout: '0', memory: '4MB', own: true }])
    await database.admin.query(`select after from ${prefix}acme.loans`)
  })
})
