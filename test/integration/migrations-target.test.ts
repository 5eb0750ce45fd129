import { join } from 'node:path'
import {
  type Migrations,
  SchemaRouter,
  type TenantryError,
  isTenantryError,
  select,
} from 'tenantry'
import { sqlDirectory } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const SET: MigrationFiles = {
  '1_loans.sql': 'create table loans ()',
  '2_fees.sql': 'create table fees ()',
  '3_notes.sql': 'create table notes ()',
  'down/2_fees.sql': 'drop table fees',
  'down/3_notes.sql': 'drop table notes',
}
const TENANTS = { select: select.tenants() }

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
}

/** Tenants without any migration, and a router that has the set. */
async function setUp(...slugs: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const bare = new SchemaRouter({
    pool: database.pool(),
    schemas: await migrations.fleet(prefix, {}),
  })
  for (const slug of slugs) await bare.tenants.create({ slug })
  const schemas = await migrations.fleet(prefix, { tenants: SET })
  return { prefix, router: new SchemaRouter({ pool: database.pool(), schemas }) }
}

async function tables(schema: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ name: string }>(
    `select relname::text as name from pg_class where relnamespace = $1::regnamespace
     and relkind = 'r' order by 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

describe('migrations.up with to', () => {
  it.each(['2_fees.sql', 'fees', 2, '2'])('stops after %s', async (to) => {
    const { prefix, router } = await setUp('acme')
    const { outcomes } = await router.migrations.up({ ...TENANTS, to })
    expect(outcomes).toMatchObject([{ applied: ['1_loans.sql', '2_fees.sql'] }])
    expect(await tables(`${prefix}acme`)).toEqual(['fees', 'loans', 'migrations'])
  })

  it('refuses a migration that the set does not have', async () => {
    const { router } = await setUp('acme')
    await expect(router.migrations.up({ ...TENANTS, to: '9_none.sql' })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'to',
    })
  })
})

describe('migrations.down', () => {
  it('takes the newest back, and the ledger and its comment with it', async () => {
    const { prefix, router } = await setUp('acme', 'beta')
    await router.migrations.up(TENANTS)
    const { outcomes } = await router.migrations.down(TENANTS)
    expect(outcomes.map(({ applied }) => applied)).toEqual([['3_notes.sql'], ['3_notes.sql']])
    expect(await tables(`${prefix}acme`)).toEqual(['fees', 'loans', 'migrations'])
    for (const deep of [false, true]) {
      expect(await router.migrations.status({ ...TENANTS, deep })).toMatchObject([
        { version: 2, pending: ['3_notes.sql'] },
        { version: 2, pending: ['3_notes.sql'] },
      ])
    }
  })

  it('goes back to a migration, or by some steps', async () => {
    const { prefix, router } = await setUp('acme')
    await router.migrations.up(TENANTS)
    await router.migrations.down({ ...TENANTS, to: '1_loans.sql' })
    expect(await tables(`${prefix}acme`)).toEqual(['loans', 'migrations'])
    await router.migrations.up(TENANTS)
    await router.migrations.down({ ...TENANTS, steps: 2 })
    expect(await tables(`${prefix}acme`)).toEqual(['loans', 'migrations'])
  })

  it('takes one goal, and knows the migrations that it goes back to', async () => {
    const { router } = await setUp('acme')
    await router.migrations.up(TENANTS)
    const both = router.migrations.down({ ...TENANTS, to: '1_loans.sql', steps: 1 })
    await expect(both).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'steps' })
    const unknown = router.migrations.down({ ...TENANTS, to: '9_none.sql' })
    await expect(unknown).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'to' })
    expect(await router.migrations.status(TENANTS)).toMatchObject([{ version: 3 }])
  })

  it('runs nothing anywhere when one reverse is missing', async () => {
    const { prefix, router } = await setUp('acme', 'beta')
    await router.migrations.up(TENANTS)
    await expect(router.migrations.down({ ...TENANTS, steps: 3 })).rejects.toMatchObject({
      code: 'MIGRATION_IRREVERSIBLE',
      migration: '1_loans.sql',
    })
    expect(await tables(`${prefix}acme`)).toHaveLength(4)
  })
})

describe('the error of a reverse', () => {
  const failing = {
    '1_loans.sql': 'create table loans ()',
    'down/1_loans.sql': '\ndelete from lent',
  }
  const SECTIONS = '-- migrate:up\ncreate table loans ();\n-- migrate:down\ndelete from lent;\n'

  it('names the file in down/ and the line there', async () => {
    const folder = await migrations.folder(failing)
    expect(await errorOfDown(folder)).toMatchObject({
      code: 'MIGRATION_FAILED',
      migration: '1_loans.sql',
      file: join(folder, 'down', '1_loans.sql'),
      line: 2,
      message: expect.stringMatching(/^The reverse of 1_loans\.sql, line 2, failed /) as string,
    })
  })

  it('names the file itself where that holds both ways', async () => {
    const folder = await migrations.folder({ '20240101_loans.sql': SECTIONS })
    expect(await errorOfDown(sqlDirectory(folder))).toMatchObject({
      file: join(folder, '20240101_loans.sql'),
      line: 4,
    })
  })

  async function errorOfDown(set: Migrations): Promise<TenantryError> {
    const prefix = database.prefix()
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix, migrations: set } },
    })
    await router.tenants.create({ slug: 'acme' })
    const error: unknown = await router.migrations.down(TENANTS).catch((reason: unknown) => reason)
    if (isTenantryError(error) && isTenantryError(error.cause)) return error.cause
    throw error
  }
})

describe('migrations.redo', () => {
  it('runs the newest migration of each schema again', async () => {
    const { prefix, router } = await setUp('acme')
    await router.migrations.up({ ...TENANTS, to: 2 })
    await database.admin.query(`alter table ${prefix}acme.fees add column odd int`)
    const { outcomes } = await router.migrations.redo(TENANTS)
    expect(outcomes).toMatchObject([{ status: 'done', applied: ['2_fees.sql'] }])
    const { rows } = await database.admin.query(
      `select attname from pg_attribute where attrelid = '${prefix}acme.fees'::regclass and attnum > 0`,
    )
    expect(rows).toEqual([])
  })
})

describe('migrations.markApplied', () => {
  it('writes the ledger and runs nothing', async () => {
    const { prefix, router } = await setUp('acme')
    await router.migrations.markApplied({ ...TENANTS, to: '2_fees.sql' })
    expect(await tables(`${prefix}acme`)).toEqual(['migrations'])
    expect(await router.migrations.status({ ...TENANTS, deep: true })).toMatchObject([
      { version: 2, pending: ['3_notes.sql'], tampered: [], unknown: [] },
    ])
    await router.migrations.up(TENANTS)
    expect(await tables(`${prefix}acme`)).toEqual(['migrations', 'notes'])
  })
})

describe('migrations.plan', () => {
  it('says what would run, and makes nothing, not even the registry', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {
      main: { '1_a.sql': 'create table a ()', '2_b.sql': 'create index concurrently on a ((1))' },
    })
    const pool = database.pool({ options: '-c default_transaction_read_only=on' })
    const router = new SchemaRouter({ pool, schemas })
    expect(await router.migrations.plan()).toEqual([
      { schema: `shared_${prefix}`, kind: 'shared', run: [], atomic: true },
      { schema: `main_${prefix}`, kind: 'static', run: ['1_a.sql', '2_b.sql'], atomic: false },
    ])
    const { rows } = await database.admin.query('select to_regnamespace($1) as made', [
      `shared_${prefix}`,
    ])
    expect(rows).toEqual([{ made: null }])
  })
})

describe('migrations.statuses', () => {
  it('goes over the fleet and names what was changed or is unknown', async () => {
    const { prefix, router } = await setUp('acme', 'beta')
    await router.migrations.up(TENANTS)
    await database.admin.query(
      `update ${prefix}acme.migrations set hash = 'x' where id = 1;
       insert into ${prefix}beta.migrations (id, name, hash) values (4, 'later', 'x')`,
    )
    const seen: unknown[] = []
    for await (const status of router.migrations.statuses({ ...TENANTS, deep: true })) {
      seen.push([status.tenant, status.tampered, status.unknown])
    }
    expect(seen).toEqual([
      ['acme', ['1_loans.sql'], []],
      ['beta', [], ['later']],
    ])
  })
})
