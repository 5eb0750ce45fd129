import { type RunReport, SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const FIRST: MigrationFiles = { '1_loans.sql': 'create table loans (id int, amount int)' }
const LAST: MigrationFiles = { '3_notes.sql': 'create table notes ()' }
const SLUGS = ['acme', 'beta'] as const
const TENANTS = { select: select.tenants(), lint: false } as const

interface Setup {
  readonly prefix: string
  router(files: MigrationFiles): Promise<SchemaRouter>
  up(files: MigrationFiles, options?: UpOptions): Promise<RunReport>
  /** The ids in each ledger. */
  ledgers(): Promise<unknown>
}

/** Two tenants on the first migration, and a run that brings them more of them. */
async function setUp(): Promise<Setup> {
  const prefix = database.prefix()
  const router = async (files: MigrationFiles): Promise<SchemaRouter> =>
    new SchemaRouter({
      pool: database.pool(),
      schemas: await migrations.fleet(prefix, { tenants: { ...FIRST, ...files } }),
    })
  const old = await router({})
  for (const slug of SLUGS) await old.tenants.create({ slug })
  return {
    prefix,
    router,
    up: async (files, options = {}) => {
      const grown = await router(files)
      return grown.migrations.up({ ...TENANTS, ...options }).catch((error: unknown) => {
        if (isTenantryError(error, 'MIGRATION_RUN_FAILED')) return error.report as RunReport
        throw error
      })
    },
    ledgers: () =>
      rowsOf((slug) => `select array_agg(id order by id) as ids from ${prefix}${slug}.migrations`),
  }
}

async function rowsOf(query: (slug: string) => string): Promise<readonly unknown[]> {
  const found = []
  for (const slug of SLUGS) found.push((await database.admin.query(query(slug))).rows[0])
  return found
}

const both = (row: object): readonly object[] => SLUGS.map(() => row)

describe('a file with transactions of its own', () => {
  it('stays part of its schema’s transaction where it is one transaction', async () => {
    const { up, ledgers } = await setUp()
    const { outcomes } = await up({ '2_one.sql': 'begin; create table fees (); commit;', ...LAST })
    expect(outcomes).toMatchObject(both({ status: 'done' }))
    for (const outcome of outcomes) expect(outcome).not.toHaveProperty('atomic')
    for (const outcome of outcomes) expect(outcome).not.toHaveProperty('notAtomic')
    expect(await ledgers()).toEqual(both({ ids: [0, 1, 2, 3] }))
  })

  it('runs them one after the other in each schema, and is named in the report', async () => {
    const { prefix, up, ledgers } = await setUp()
    const two = `begin; create table fees as select pg_current_xact_id()::text as xid; commit;
      begin; insert into fees select pg_current_xact_id()::text; commit;`
    const { outcomes } = await up({ '2_two.sql': two, ...LAST })
    expect(outcomes).toMatchObject(
      both({
        status: 'done',
        atomic: false,
        applied: ['2_two.sql', '3_notes.sql'],
        notAtomic: ['2_two.sql'],
      }),
    )
    expect(await ledgers()).toEqual(both({ ids: [0, 1, 2, 3] }))
    const xids = (slug: string): string =>
      `select count(distinct xid)::int as xids from ${prefix}${slug}.fees`
    expect(await rowsOf(xids)).toEqual(both({ xids: 2 }))
  })

  it('is not noted where one of them fails, and keeps those before it', async () => {
    const { prefix, up } = await setUp()
    await database.admin.query(`insert into ${prefix}beta.loans values (1), (1)`)
    const two = `begin; create table fees (); commit;
      begin; alter table loans add primary key (id); commit;`
    const { outcomes } = await up({ '2_two.sql': two, ...LAST })
    expect(outcomes).toMatchObject([
      { status: 'done', notAtomic: ['2_two.sql'] },
      {
        status: 'failed',
        applied: [],
        error: { code: 'MIGRATION_FAILED', migration: '2_two.sql', line: 2, sqlState: '23505' },
      },
    ])
    expect(outcomes[1]?.error?.message).toContain('its earlier statements stay done')
    const { rows } = await database.admin.query(
      `select to_regclass('${prefix}beta.fees') is not null as kept,
         (select max(id) from ${prefix}beta.migrations) as version`,
    )
    expect(rows).toEqual([{ kept: true, version: 1 }])
  })

  it('gets the isolation level that it asks for', async () => {
    const { prefix, up } = await setUp()
    const level = `start transaction isolation level serializable;
      create table seen as select current_setting('transaction_isolation') as level; commit`
    const { outcomes } = await up({ '2_level.sql': level })
    expect(outcomes).toMatchObject(both({ status: 'done', notAtomic: ['2_level.sql'] }))
    const seen = (slug: string): string => `select level from ${prefix}${slug}.seen`
    expect(await rowsOf(seen)).toEqual(both({ level: 'serializable' }))
  })

  it('is not noted where it leaves its schema between them', async () => {
    const { up, ledgers } = await setUp()
    const away = 'begin; create table fees (); commit; set search_path to pg_catalog; select 1'
    const { outcomes } = await up({ '2_away.sql': away })
    expect(outcomes).toMatchObject(both({ status: 'failed', error: { code: 'MIGRATION_ESCAPED' } }))
    expect(await ledgers()).toEqual(both({ ids: [0, 1] }))
  })

  it('is part of the one transaction in which a new tenant is made', async () => {
    const { prefix, router } = await setUp()
    const grown = await router({
      '2_two.sql': 'begin; create table fees (); commit; create table more ()',
      '3_wrong.sql': 'select 1 / 0',
    })
    await expect(grown.tenants.create({ slug: 'gamma' })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      migration: '3_wrong.sql',
    })
    const { rows } = await database.admin.query(`select to_regnamespace('${prefix}gamma') as made`)
    expect(rows).toEqual([{ made: null }])
  })
})

const LOOP = `for n in 1..2 loop
  insert into loans values (n, pg_current_xact_id()::text::int); commit; end loop;`

describe('a file in which a block or a procedure commits', () => {
  it.each<readonly [string, string, UpOptions]>([
    ['a block', `do $$ begin ${LOOP} end $$`, {}],
    ['a block, one schema after the other', `do $$ begin ${LOOP} end $$`, { concurrency: 1 }],
    ['a procedure', 'call other.fill()', {}],
    ['a procedure, without a guard', 'call other.fill()', { guard: false, concurrency: 1 }],
  ])('is run outside of a transaction: %s', async (_what, sql, options) => {
    const { prefix, up, ledgers } = await setUp()
    await database.admin.query(
      `create schema other_${prefix};
       create procedure other_${prefix}.fill() language plpgsql as $$ begin ${LOOP} end $$`,
    )
    const files = { '2_fill.sql': sql.replace('other', `other_${prefix}`), ...LAST }
    const { outcomes } = await up(files, options)
    expect(outcomes).toMatchObject(
      both({
        status: 'done',
        atomic: false,
        attempts: 1,
        applied: ['2_fill.sql', '3_notes.sql'],
        notAtomic: ['2_fill.sql'],
      }),
    )
    expect(await ledgers()).toEqual(both({ ids: [0, 1, 2, 3] }))
    const filled = (slug: string): string =>
      `select count(*)::int as rows, count(distinct amount)::int as transactions
       from ${prefix}${slug}.loans`
    expect(await rowsOf(filled)).toEqual(both({ rows: 2, transactions: 2 }))
  })

  it('is found among files that are sent as one text', async () => {
    const { prefix, up, ledgers } = await setUp()
    await database.admin.query(
      SLUGS.map(
        (slug) => `create procedure ${prefix}${slug}.fill() language plpgsql as
          $$ begin insert into ${prefix}${slug}.loans values (1); commit; end $$`,
      ).join(';'),
    )
    const { outcomes } = await up({
      '2_fees.sql': 'create table fees ()',
      '3_fill.sql': 'call fill()',
    })
    expect(outcomes).toMatchObject(both({ status: 'done', notAtomic: ['3_fill.sql'] }))
    expect(await ledgers()).toEqual(both({ ids: [0, 1, 2, 3] }))
  })

  it('fails as a whole where it can commit nowhere', async () => {
    const { prefix, up, ledgers } = await setUp()
    await database.admin.query(
      SLUGS.map(
        (slug) => `create function ${prefix}${slug}.fill() returns void language plpgsql as
          $$ begin commit; end $$`,
      ).join(';'),
    )
    const { outcomes } = await up({ '2_fill.sql': 'create table fees (); select fill()' })
    expect(outcomes).toMatchObject(
      both({
        status: 'failed',
        applied: [],
        error: { migration: '2_fill.sql', sqlState: '2D000' },
      }),
    )
    expect(outcomes[0]?.error?.message).toContain('as it was before')
    expect(await ledgers()).toEqual(both({ ids: [0, 1] }))
  })
})
