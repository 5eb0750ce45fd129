import { type RunReport, SchemaRouter, isTenantryError, select } from 'tenantry'
import { LINT_RULES, type Migration, type MigrationSource, lint } from 'tenantry/migrate'
import { afterAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

/** What became of the tenants a and b, and which schemas hold the object afterwards. */
interface Outcome {
  readonly a: string
  readonly b: string
  readonly held: readonly string[]
}

interface Danger {
  readonly rule: string
  /** What the schemas have already. */
  readonly before: string
  /** The old copy of the object in `public`. */
  readonly copy: string
  /** The name of the table or type that it is about. */
  readonly object: string
  readonly sql: string
  readonly line: number
  /** What happens to two tenants, without the old copy and with it. */
  readonly fresh: Outcome
  readonly withCopy: Outcome
}

const TYPE = "create type state as enum ('open')"
const TABLE = 'create table loans (id int)'

const DANGERS: readonly Danger[] = [
  {
    rule: 'qualified-name',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: '-- for all\ncreate table if not exists public.loans (id int);',
    line: 2,
    fresh: { a: 'done', b: 'done', held: ['public'] },
    withCopy: { a: 'done', b: 'done', held: ['public'] },
  },
  {
    rule: 'set-search-path',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: 'set local search_path to public;\ncreate table loans (id int);',
    line: 1,
    fresh: { a: 'done', b: '42P07', held: ['public'] },
    withCopy: { a: '42P07', b: '42P07', held: ['public'] },
  },
  {
    rule: 'unfiltered-catalog',
    before: '',
    copy: TYPE,
    object: 'state',
    sql: `do $$ begin
  if not exists (select from pg_type where typname = 'state') then
    ${TYPE};
  end if;
end $$;`,
    line: 2,
    fresh: { a: 'done', b: 'done', held: ['a'] },
    withCopy: { a: 'done', b: 'done', held: ['public'] },
  },
  {
    rule: 'enum-value-used',
    before: TYPE,
    copy: TYPE,
    object: 'state',
    sql: "alter type state add value 'late';\nselect 'late'::state;",
    line: 2,
    fresh: { a: '55P04', b: '55P04', held: ['a', 'b'] },
    withCopy: { a: '55P04', b: '55P04', held: ['a', 'b', 'public'] },
  },
  {
    rule: 'drop-cascade',
    before: '',
    copy: `${TABLE}; create view shown as select id from loans`,
    object: 'shown',
    sql: 'drop table if exists loans cascade;',
    line: 1,
    fresh: { a: 'done', b: 'done', held: [] },
    withCopy: { a: 'done', b: 'done', held: [] },
  },
  {
    rule: 'create-schema',
    before: '',
    copy: 'create schema archive; create table archive.old ()',
    object: 'old',
    sql: 'create schema archive;',
    line: 1,
    fresh: { a: 'done', b: '42P06', held: [] },
    withCopy: { a: '42P06', b: '42P06', held: ['archive'] },
  },
  {
    rule: 'transaction-control',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: 'create table loans (id int);\nrollback;',
    line: 2,
    fresh: { a: 'MIGRATION_SOURCE_INVALID', b: 'MIGRATION_SOURCE_INVALID', held: [] },
    withCopy: { a: 'MIGRATION_SOURCE_INVALID', b: 'MIGRATION_SOURCE_INVALID', held: ['public'] },
  },
  {
    rule: 'drop-schema',
    before: '',
    copy: 'create schema archive; create table archive.old ()',
    object: 'old',
    sql: 'drop schema archive cascade;',
    line: 1,
    fresh: { a: '3F000', b: '3F000', held: [] },
    withCopy: { a: 'done', b: '3F000', held: [] },
  },
  {
    rule: 'create-extension',
    before: '',
    copy: 'create extension citext',
    object: 'citext',
    sql: 'create extension citext;',
    line: 1,
    fresh: { a: 'done', b: '42710', held: ['a'] },
    withCopy: { a: '42710', b: '42710', held: ['public'] },
  },
  {
    rule: 'drop-extension',
    before: '',
    copy: 'create extension citext',
    object: 'citext',
    sql: '\ndrop extension citext;',
    line: 2,
    fresh: { a: '42704', b: '42704', held: [] },
    withCopy: { a: 'done', b: '42704', held: [] },
  },
  {
    rule: 'roles',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: 'create table loans (id int);\ncreate role tenantry_lint_reader;',
    line: 2,
    fresh: { a: 'done', b: '42710', held: ['a'] },
    withCopy: { a: 'done', b: '42710', held: ['a', 'public'] },
  },
  {
    rule: 'database-wide',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: 'create table loans (id int);\ncreate publication tenantry_lint;',
    line: 2,
    fresh: { a: 'done', b: '42710', held: ['a'] },
    withCopy: { a: 'done', b: '42710', held: ['a', 'public'] },
  },
  {
    rule: 'needs-no-transaction',
    before: TABLE,
    copy: TABLE,
    object: 'loans_id_idx',
    sql: 'do $$ begin\n  create index concurrently on loans (id);\nend $$;',
    line: 2,
    fresh: { a: '25001', b: '25001', held: [] },
    withCopy: { a: '25001', b: '25001', held: [] },
  },
  {
    rule: 'syntax-error',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: '\ncreate tabl loans (id int);',
    line: 2,
    fresh: { a: '42601', b: '42601', held: [] },
    withCopy: { a: '42601', b: '42601', held: ['public'] },
  },
  {
    // A note: it is on Citus alone that what a block makes stays on one node.
    rule: 'ddl-in-do',
    before: '',
    copy: TABLE,
    object: 'loans',
    sql: `do $$ begin\n  ${TABLE};\nend $$;`,
    line: 2,
    fresh: { a: 'done', b: 'done', held: ['a', 'b'] },
    withCopy: { a: 'done', b: 'done', held: ['a', 'b', 'public'] },
  },
]

/** What is there once in the database or on the server, and would be in the next fixture's way. */
const CLEAN_UP = `
  drop schema if exists archive cascade; drop extension if exists citext;
  drop publication if exists tenantry_lint; drop role if exists tenantry_lint_reader;
  drop schema public cascade; create schema public`

function migration(id: number, sql: string): Migration {
  const name = `step-${id}`
  return { id, name, fileName: `${id}_${name}.sql`, sql, hash: `hash-${id}` }
}

function source(migrations: readonly Migration[]): MigrationSource {
  return { origin: 'a test', load: () => Promise.resolve(migrations) }
}

afterAll(() => database.admin.query(CLEAN_UP))

/** Runs the migration in the schemas of two tenants, with `public` behind them in the path. */
async function outcomeOf({ before, object, sql }: Danger, copy: string): Promise<Outcome> {
  await database.admin.query(CLEAN_UP)
  if (copy !== '') await database.admin.query(`set search_path to public; ${copy}; reset all`)
  const prefix = database.prefix()
  const first = migration(1, before)
  const router = (migrations: readonly Migration[]): SchemaRouter =>
    new SchemaRouter({
      pool: database.pool(),
      schemas: {
        shared: { name: `shared_${prefix}s` },
        tenants: { prefix, migrations: source(migrations), searchPath: ['public'] },
      },
    })
  for (const slug of ['a', 'b']) await router([first]).tenants.create({ slug })
  const next = router([first, migration(2, sql)])
  // One after the other, and unchecked: what is shown is what the linter is there for.
  const options = { select: select.tenants(), concurrency: 1, guard: false, lint: false } as const
  const report = await next.migrations.up(options).catch(reportOf)
  const ends = report.outcomes.map(({ status, error }) =>
    isTenantryError(error) ? (error.sqlState ?? error.code) : status,
  )
  return { a: ends[0] ?? '', b: ends[1] ?? '', held: await holdersOf(object, prefix) }
}

function reportOf(error: unknown): RunReport {
  if (isTenantryError(error, 'MIGRATION_RUN_FAILED')) return error.report as RunReport
  throw error
}

async function holdersOf(object: string, prefix: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ schema: string }>(
    `select distinct nspname as schema from pg_namespace n
     where (exists (select from pg_class where relnamespace = n.oid and relname = $1)
       or exists (select from pg_type where typnamespace = n.oid and typname = $1))
       and (starts_with(nspname, $2) or nspname in ('public', 'archive'))
     order by 1`,
    [object, prefix],
  )
  return rows.map(({ schema }) => schema.replace(prefix, '')).toSorted()
}

/** The schemas of two tenants, each with a table of loans that has as many rows as it is called after. */
async function setUpLoans(sql: string): Promise<readonly [string, string]> {
  await database.admin.query(CLEAN_UP)
  const prefix = database.prefix()
  const migrations = [migration(1, TABLE), migration(2, sql)]
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: { tenants: { prefix, migrations: source(migrations) } },
  })
  for (const slug of ['a', 'b']) await router.tenants.create({ slug })
  const [a, b] = [`${prefix}a`, `${prefix}b`]
  await database.admin.query(
    `insert into ${a}.loans values (1); insert into ${b}.loans values (1), (2)`,
  )
  return [a, b]
}

describe('a migration that the linter warns of', () => {
  it('goes wrong when it is called from another schema: function-without-search-path', async () => {
    const sql =
      'create function total() returns bigint language sql as $$ select count(*) from loans $$;'
    const [a, b] = await setUpLoans(sql)
    const totalIn = (path: string): Promise<unknown> =>
      database.admin
        .query(`begin; set local search_path to ${path}; select ${a}.total(); commit`)
        .then((results) => [results].flat()[2]?.rows[0]?.total)
    expect(await totalIn(b)).toBe('2')
    await database.admin.query(TABLE.replace('loans', 'public.loans'))
    expect(await totalIn('public')).toBe('0')
    expect(await lint([migration(1, sql)])).toMatchObject([
      { rule: 'function-without-search-path', line: 1 },
    ])
  })

  it('makes one tenant wait for another: advisory-lock', async () => {
    const sql = 'select pg_advisory_xact_lock(42);'
    const [a, b] = await setUpLoans('select 1')
    const pool = database.pool({ max: 2 })
    const [first, second] = [await pool.connect(), await pool.connect()]
    await first.query(`begin; set local search_path to ${a}; ${sql}`)
    const waits = second.query(
      `begin; set local search_path to ${b}; set local lock_timeout = '50ms'; ${sql}`,
    )
    await expect(waits).rejects.toMatchObject({ code: '55P03' })
    for (const client of [first, second]) {
      await client.query('rollback')
      client.release()
    }
    expect(await lint([migration(1, sql)])).toMatchObject([{ rule: 'advisory-lock', line: 1 }])
  })

  it('has a fixture for each rule', () => {
    const apart = ['advisory-lock', 'function-without-search-path', 'unknown-rule']
    const shown = new Set([...DANGERS.map(({ rule }) => rule), ...apart])
    expect([...shown].toSorted()).toEqual(LINT_RULES.toSorted())
  })

  it.each(DANGERS)('goes wrong in two tenants: $rule', async (danger) => {
    expect(await outcomeOf(danger, '')).toEqual(danger.fresh)
  })

  it.each(DANGERS)('goes wrong beside an old copy in public: $rule', async (danger) => {
    expect(await outcomeOf(danger, danger.copy)).toEqual(danger.withCopy)
  })

  it.each(DANGERS)('is found at its line: $rule', async ({ rule, sql, line }) => {
    const findings = await lint([migration(1, sql)], { searchPath: ['public'] })
    expect(findings).toContainEqual(expect.objectContaining({ rule, line }))
  })
})
