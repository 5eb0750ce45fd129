import { SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import type { RunReport } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Setup {
  readonly prefix: string
  /** Runs one more file in the tenant `acme`. */
  up(sql: (other: string) => string, options?: UpOptions): Promise<RunReport>
}

/** A tenant, and beside it a schema that it has no business with. */
async function setUp(): Promise<Setup> {
  const prefix = database.prefix()
  const other = `other_${prefix}`
  const first = {
    '1_loans.sql': `create table loans (id int primary key);
      create table refers (id int references ${other}.rates)`,
  }
  await database.admin.query(
    `create schema ${other}; create table ${other}.rates (id int primary key, note text);
     create index noted on ${other}.rates (note); create view ${other}.shown as select 1 as one;
     create type ${other}.mood as enum ('fine'); create domain ${other}.amount as int;
     create function ${other}.now() returns int language sql as 'select 1';
     create sequence ${other}.numbers; create schema spare_${prefix}`,
  )
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: await migrations.fleet(prefix, { tenants: first }),
  })
  await router.tenants.create({ slug: 'acme' })
  return {
    prefix,
    up: async (sql, options) => {
      const tenants = { ...first, '2_fees.sql': 'create table fees ()', '3_out.sql': sql(other) }
      const schemas = await migrations.fleet(prefix, { tenants })
      const grown = new SchemaRouter({ pool: database.pool(), schemas })
      return (
        grown.migrations
          // The linter would stop most of these before they run.
          .up({ select: select.tenants(), lint: false, ...options })
          .catch((error: unknown) => {
            if (isTenantryError(error, 'MIGRATION_RUN_FAILED')) return error.report as RunReport
            throw error
          })
      )
    },
  }
}

const ESCAPES: readonly (readonly [string, string, (other: string) => string])[] = [
  ['a column', 'rates', (o) => `alter table ${o}.rates add column fee int`],
  ['rows', 'rates', (o) => `insert into ${o}.rates values (1)`],
  ['a table', 'made', (o) => `create table ${o}.made (id int)`],
  ['a table behind a path', 'made', (o) => `set search_path to ${o}; create table made ()`],
  ['a type', 'shape', (o) => `create type ${o}.shape as (x int)`],
  ['a value of a type', 'mood', (o) => `alter type ${o}.mood add value 'sad'`],
  [
    'a function in a block',
    'f',
    (o) => `do $$ begin create function ${o}.f() returns int language sql as 'select 1';
              exception when others then raise; end $$`,
  ],
  ['a schema', 'another', () => 'create schema another'],
  ['a trigger', 'rates', trigger],
  ['a foreign key', 'rates', (o) => `alter table ${o}.rates add foreign key (id) references loans`],
  ['the name of a function', 'later', (o) => `alter function ${o}.now() rename to later`],
  ['the owner of a type', 'mood', (o) => `alter type ${o}.mood owner to pg_monitor`],
  ['a check of a domain', 'amount', (o) => `alter domain ${o}.amount add check (value > 0)`],
  ['the rows of a table', 'rates', (o) => `truncate ${o}.rates cascade`],
  ['the rights on a table', 'rates', (o) => `grant select on ${o}.rates to public`],
  ['the rights on a table in a block', 'rates', revokeInBlock],
  ['the rights on a function', 'now', (o) => `revoke execute on function ${o}.now() from public`],
  ['the rights on a schema', 'other', (o) => `grant usage on schema ${o} to public`],
  ['a comment on a table', 'rates', (o) => `comment on table ${o}.rates is 'ours'`],
  ['a comment on a column', 'rates', (o) => `comment on column ${o}.rates.id is 'ours'`],
  ['a comment on a function', 'now', (o) => `comment on function ${o}.now() is 'ours'`],
  ['a comment on a type', 'mood', (o) => `comment on type ${o}.mood is 'ours'`],
  ['a comment on a schema', 'other', (o) => `comment on schema ${o} is 'ours'`],
]

/** What is gone leaves no row in the catalogs. */
const REMOVALS: readonly (readonly [string, string, (other: string) => string])[] = [
  ['a table', 'rates', (o) => `drop table ${o}.rates cascade`],
  ['a table behind a path', 'rates', (o) => `set search_path to ${o}; drop table rates cascade`],
  [
    'a table in a block',
    'rates',
    (o) => `do $$ begin execute 'drop table ${o}.rates cascade'; end $$`,
  ],
  [
    'a table that it no longer refers to',
    'rates',
    (o) => `drop table refers; drop table ${o}.rates`,
  ],
  ['an index', 'noted', (o) => `drop index ${o}.noted`],
  ['a column with an index', 'rates', (o) => `alter table ${o}.rates drop note`],
  ['a view', 'shown', (o) => `drop view ${o}.shown`],
  ['a sequence', 'numbers', (o) => `drop sequence ${o}.numbers`],
  ['a function', 'now', (o) => `drop function ${o}.now()`],
  ['a type', 'mood', (o) => `drop type ${o}.mood`],
  ['a domain', 'amount', (o) => `drop domain ${o}.amount`],
  ['a schema', 'spare', (o) => `drop schema ${o.replace('other', 'spare')}`],
  ['a schema with all that is in it', 'other', (o) => `drop schema ${o} cascade`],
  ['a table into its own schema', 'rates', (o) => `alter table ${o}.rates set schema HOME`],
  ['a function into its own schema', 'now', (o) => `alter function ${o}.now() set schema HOME`],
]

function trigger(other: string): string {
  return `alter table fees add id int references ${other}.rates;
    create function note() returns trigger language plpgsql as 'begin return new; end';
    create trigger note before insert on ${other}.rates execute function note()`
}

function revokeInBlock(other: string): string {
  return `do $$ begin execute 'revoke all on ${other}.rates from public'; end $$`
}

describe('the guard of a migration', () => {
  it.each(ESCAPES)('rolls back what makes or changes %s elsewhere', async (_what, name, sql) => {
    const { prefix, up } = await setUp()
    const [outcome] = (await up(sql)).outcomes
    expect(outcome).toMatchObject({
      status: 'failed',
      applied: [],
      error: { code: 'MIGRATION_ESCAPED', schema: `${prefix}acme`, migration: '3_out.sql' },
    })
    expect(outcome?.error?.message).toContain(`.${name}`)
    const { rows } = await database.admin.query(`select id from ${prefix}acme.migrations`)
    expect(rows).toHaveLength(2)
  })

  it.each(REMOVALS)('rolls back what takes away %s elsewhere', async (_what, name, sql) => {
    const { prefix, up } = await setUp()
    const [outcome] = (await up((other) => sql(other).replace('HOME', `${prefix}acme`))).outcomes
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'MIGRATION_ESCAPED', schema: `${prefix}acme`, migration: '3_out.sql' },
    })
    expect(outcome?.error?.message).toContain(`.${name}`)
  })

  it('lets a migration read, refer and count elsewhere', async () => {
    const { up } = await setUp()
    const { outcomes } = await up(
      (o) => `create table refers_too (id int references ${o}.rates);
              create table copies as select * from ${o}.rates;
              select nextval('${o}.numbers'); create temporary table scratch ();
              create function loans() returns bigint language sql as 'select count(*) from loans'`,
    )
    expect(outcomes).toMatchObject([{ status: 'done' }])
  })

  it('lets a migration take away what is its own, also what refers elsewhere', async () => {
    const { prefix, up } = await setUp()
    const { outcomes } = await up(
      () => `drop table refers; drop table fees;
        create type state as enum ('a'); create function f() returns int language sql as 'select 1';
        create view seen as select id from loans; alter table loans add note text;
        drop type state; drop function f(); drop view seen; alter table loans alter note type int using 1;
        alter table loans add at timestamptz default clock_timestamp()`,
    )
    expect(outcomes).toMatchObject([{ status: 'done' }])
    const { rows } = await database.admin.query(`select to_regclass($1) as refers`, [
      `${prefix}acme.refers`,
    ])
    expect(rows).toEqual([{ refers: null }])
  })

  it('does not take the end of a reference for an excuse', async () => {
    const { up } = await setUp()
    const { outcomes } = await up((o) => `drop table refers; alter table ${o}.rates drop note`)
    expect(outcomes).toMatchObject([{ status: 'failed', error: { code: 'MIGRATION_ESCAPED' } }])
  })

  it('allows the schemas that it is told, and can be left out', async () => {
    const one = await setUp()
    const sql = (other: string): string => `insert into ${other}.rates values (1)`
    const allowed = await one.up(sql, { guard: { allow: [`other_${one.prefix}`] } })
    expect(allowed.outcomes).toMatchObject([{ status: 'done' }])
    const two = await setUp()
    const off = await two.up(sql, { guard: false })
    expect(off.outcomes).toMatchObject([{ status: 'done' }])
  })
})
