import { type RunReport, SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import { code } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const folders = useMigrationFolders()

/** A constraint, and a trigger, that PostgreSQL looks at when a transaction ends. */
const FIRST = {
  '1_loans.sql': `
    create table loans (id int primary key, amount int unique deferrable initially deferred);
    create table log (what text);
    create function note() returns trigger language plpgsql as
      $$ begin insert into log values ('loan ' || new.id); return null; end $$;
    create constraint trigger noted after insert on loans deferrable initially deferred
      for each row execute function note();`,
}
const TWICE = 'insert into loans values (1, 5), (2, 5)'
const FINE = 'create table fees ()'
/** A function is a reason for a closer look, so the unit is not sent as one text. */
const MADE = `create function f() returns int language sql as 'select 1'`

interface Fleet {
  readonly schema: string
  up(more: MigrationFiles, options?: UpOptions): Promise<RunReport>
  rowsOf(table: string): Promise<readonly unknown[]>
}

async function oneTenant(): Promise<Fleet> {
  const prefix = database.prefix()
  const routerOf = async (tenants: MigrationFiles): Promise<SchemaRouter> =>
    new SchemaRouter({ pool: database.pool(), schemas: await folders.fleet(prefix, { tenants }) })
  await (await routerOf(FIRST)).tenants.create({ slug: 'acme' })
  const schema = `${prefix}acme`
  return {
    schema,
    up: async (more, options) =>
      (await routerOf({ ...FIRST, ...more })).migrations
        .up({ select: select.tenants(), ...options })
        .catch(reportOf),
    rowsOf: async (table) =>
      (await database.admin.query(`table ${schema}.${table}`)).rows as readonly unknown[],
  }
}

function reportOf(error: unknown): RunReport {
  if (isTenantryError(error) && error.report !== undefined) return error.report as RunReport
  throw error
}

const twoFiles = (third: string): MigrationFiles => ({ '2_twice.sql': TWICE, '3_more.sql': third })

describe('a violation that is found at the end of a transaction', () => {
  it.each([
    ['in one round trip', FINE],
    ['in several', MADE],
  ])('is put down to its migration where the unit is sent %s', async (_, third) => {
    const { schema, up, rowsOf } = await oneTenant()
    const { outcomes } = await up(twoFiles(third))
    expect(outcomes).toMatchObject([{ status: 'failed', attempts: 1, applied: [] }])
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema,
      migration: '2_twice.sql',
      file: expect.stringMatching(/\/2_twice\.sql$/),
      sqlState: '23505',
      message: expect.stringContaining('at the end of its transaction'),
    })
    expect(await rowsOf('loans')).toEqual([])
    expect(await rowsOf('migrations')).toHaveLength(2)
  })

  it('is put down to its migration where each is committed by itself', async () => {
    const { schema, up, rowsOf } = await oneTenant()
    const files = { '2_more.sql': FINE, '3_twice.sql': TWICE, '4_last.sql': 'select 1' }
    const { outcomes } = await up(files, { atomicity: 'migration' })
    expect(outcomes).toMatchObject([{ status: 'failed', applied: ['2_more.sql'] }])
    expect(outcomes[0]?.error).toMatchObject({
      schema,
      migration: '3_twice.sql',
      sqlState: '23505',
      message: expect.stringContaining('2_more.sql stays done'),
    })
    expect(await rowsOf('loans')).toEqual([])
  })

  it('is put down to the file that runs outside of a transaction and opens one', async () => {
    const { schema, up } = await oneTenant()
    const open = `-- postgres-migrations disable-transaction\nbegin;\n${TWICE};`
    const { outcomes } = await up({ '2_open.sql': open })
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema,
      migration: '2_open.sql',
      file: expect.stringMatching(/\/2_open\.sql$/),
      sqlState: '23505',
    })
  })

  it('is put down to a migration in code', async () => {
    const prefix = database.prefix()
    const [first] = Object.values(FIRST)
    const migrations = code([
      { name: 'loans', up: (db) => db.query(first ?? '') },
      { name: 'twice', up: (db) => db.query(TWICE) },
    ])
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix, migrations } },
    })
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}acme`,
      migration: 'twice',
      sqlState: '23505',
    })
    expect(await router.tenants.list()).toEqual([])
  })
})

describe('a trigger that is deferred to the end of a transaction', () => {
  it.each([
    ['in one round trip', FINE],
    ['in several', MADE],
  ])('finds the tables of its schema where the unit is sent %s', async (_, third) => {
    const { up, rowsOf } = await oneTenant()
    const { outcomes } = await up({
      '2_loan.sql': 'insert into loans values (7, 7)',
      '3_x.sql': third,
    })
    expect(outcomes).toMatchObject([{ status: 'done' }])
    expect(await rowsOf('log')).toEqual([{ what: 'loan 7' }])
  })

  it('is seen by the guard when it leads out of the schema', async () => {
    const { schema, up, rowsOf } = await oneTenant()
    await database.admin.query(
      `create table public.leak_${schema} (id int);
       create or replace function ${schema}.note() returns trigger language plpgsql as
         $$ begin insert into public.leak_${schema} values (new.id); return null; end $$`,
    )
    const { outcomes } = await up({ '2_loan.sql': 'insert into loans values (7, 7)' })
    expect(outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_ESCAPED',
      candidates: [`public.leak_${schema}`],
    })
    expect(await rowsOf('loans')).toEqual([])
  })
})
