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
  const first = { '1_loans.sql': 'create table loans (id int)' }
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: await migrations.fleet(prefix, { tenants: first }),
  })
  await router.tenants.create({ slug: 'acme' })
  const other = `other_${prefix}`
  await database.admin.query(
    `create schema ${other}; create table ${other}.rates (id int primary key);
     create type ${other}.mood as enum ('fine'); create sequence ${other}.numbers`,
  )
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
]

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

  it('lets a migration read, refer and count elsewhere', async () => {
    const { up } = await setUp()
    const { outcomes } = await up(
      (o) => `create table refers (id int references ${o}.rates);
              create table copies as select * from ${o}.rates;
              select nextval('${o}.numbers'); create temporary table scratch ();
              create function loans() returns bigint language sql as 'select count(*) from loans'`,
    )
    expect(outcomes).toMatchObject([{ status: 'done' }])
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
