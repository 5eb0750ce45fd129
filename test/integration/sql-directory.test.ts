import { createHash } from 'node:crypto'
import { SchemaRouter, isTenantryError, type RunReport } from 'tenantry'
import { type SqlDirectoryOptions, sqlDirectory } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = 'create table loans (id int primary key);\n'
/** Fails in its third line. */
const BROKEN = '-- the fees of a loan\n\nselect * from nowhere;\n'

interface Fixture {
  readonly files: MigrationFiles
  /** File names of the set in their order. */
  readonly order: readonly string[]
  /** A further file that fails, its name in the set, and the line of the failure. */
  readonly broken: MigrationFiles
  readonly fails: { readonly migration: string; readonly line: number }
}

const journal = (...tags: readonly string[]): string =>
  JSON.stringify({
    version: '7',
    dialect: 'postgresql',
    entries: tags.map((tag, idx) => ({ idx, version: '7', when: idx, tag, breakpoints: true })),
  })

const fixtures: Readonly<Record<string, Fixture>> = {
  flyway: {
    files: {
      'V2__fees.sql': 'create table fees ();',
      'V10__late.sql': 'create table late ();',
      'V1.2__notes.sql': 'create table notes ();',
      'V1__loans.sql': LOANS,
      'old/V1.10__parts.sql': 'create table parts ();',
      'U1__loans.sql': 'drop table loans;',
    },
    order: [
      'V1__loans.sql',
      'V1.2__notes.sql',
      'old/V1.10__parts.sql',
      'V2__fees.sql',
      'V10__late.sql',
    ],
    broken: { 'V11__broken.sql': BROKEN },
    fails: { migration: 'V11__broken.sql', line: 3 },
  },
  'golang-migrate': {
    files: {
      '1_loans.up.sql': LOANS,
      '1_loans.down.sql': 'drop table loans;',
      '10_late.up.sql': 'create table late ();',
      '2_fees.up.sql': 'create table fees ();',
    },
    order: ['1_loans.up.sql', '2_fees.up.sql', '10_late.up.sql'],
    broken: { '11_broken.up.sql': BROKEN },
    fails: { migration: '11_broken.up.sql', line: 3 },
  },
  plain: {
    files: {
      '20240102000000_fees.sql': 'create table fees ();',
      '20240101000000_loans.sql': LOANS,
    },
    order: ['20240101000000_loans.sql', '20240102000000_fees.sql'],
    broken: { '20240103000000_broken.sql': BROKEN },
    fails: { migration: '20240103000000_broken.sql', line: 3 },
  },
  prisma: {
    files: {
      'migration_lock.toml': 'provider = "postgresql"',
      '20240101000000_loans/migration.sql': LOANS,
      '20240101000000_loans/down.sql': 'drop table loans;',
      '20240102000000_fees/migration.sql': 'create table fees ();',
    },
    order: ['20240101000000_loans/migration.sql', '20240102000000_fees/migration.sql'],
    broken: { '20240103000000_broken/migration.sql': BROKEN },
    fails: { migration: '20240103000000_broken/migration.sql', line: 3 },
  },
  drizzle: {
    files: {
      '0001_b_loans.sql': `${LOANS}--> statement-breakpoint\ncreate index on loans (id);`,
      '0000_z_notes.sql': 'create table notes ();',
      'meta/_journal.json': journal('0000_z_notes', '0001_b_loans'),
    },
    order: ['0000_z_notes.sql', '0001_b_loans.sql'],
    broken: {
      '0002_broken.sql': 'select 1;--> statement-breakpoint\n\nselect * from nowhere;',
      'meta/_journal.json': journal('0000_z_notes', '0001_b_loans', '0002_broken'),
    },
    fails: { migration: '0002_broken.sql', line: 3 },
  },
  dbmate: {
    files: {
      '20240101_loans.sql': `-- migrate:up\n${LOANS}\n-- migrate:down\ndrop table loans;\n`,
      '20240102_fees.sql': '-- migrate:up\ncreate table fees ();\n',
    },
    order: ['20240101_loans.sql', '20240102_fees.sql'],
    broken: {
      '20240103_broken.sql': `-- migrate:down\nselect 1;\n-- migrate:up\n${BROKEN}`,
    },
    fails: { migration: '20240103_broken.sql', line: 6 },
  },
  'node-pg-migrate': {
    files: {
      '1700000000000_loans.sql': `-- Up Migration\n${LOANS}\n-- Down Migration\ndrop table loans;`,
      '1700000000001_fees.sql': 'create table fees ();\n',
    },
    order: ['1700000000000_loans.sql', '1700000000001_fees.sql'],
    broken: { '1700000000002_broken.sql': `-- Broken\n\n-- Up Migration\n${BROKEN}` },
    fails: { migration: '1700000000002_broken.sql', line: 6 },
  },
  goose: {
    files: {
      '00001_loans.sql': `-- +goose Up\n${LOANS}\n-- +goose Down\ndrop table loans;\n`,
      '00002_touch.sql':
        '-- +goose Up\n-- +goose StatementBegin\ncreate function touch() returns int language sql as $$ select 1; $$;\n-- +goose StatementEnd\n',
    },
    order: ['00001_loans.sql', '00002_touch.sql'],
    broken: { '00003_broken.sql': `-- +goose Up\n${BROKEN}-- +goose Down\nselect 1;` },
    fails: { migration: '00003_broken.sql', line: 4 },
  },
}

async function load(
  files: MigrationFiles,
  options?: SqlDirectoryOptions,
): ReturnType<ReturnType<typeof sqlDirectory>['load']> {
  return sqlDirectory(await migrations.folder(files), options).load()
}

async function refusal(files: MigrationFiles, options?: SqlDirectoryOptions): Promise<unknown> {
  return load(files, options).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe.each(Object.entries(fixtures))('sqlDirectory with a folder of %s', (format, fixture) => {
  it('has the migrations in the order of the tool, with ids from 1', async () => {
    const set = await load(fixture.files)
    expect(set.map(({ fileName }) => fileName)).toEqual(fixture.order)
    expect(set.map(({ id }) => id)).toEqual(fixture.order.map((_, index) => index + 1))
    for (const { hash, fileName, sql } of set) {
      expect(hash).toBe(
        createHash('sha1')
          .update(fileName + sql)
          .digest('hex'),
      )
    }
  })

  it('has the same when the format is given', async () => {
    const folder = await migrations.folder(fixture.files)
    const given = sqlDirectory(folder, { format: format as 'plain' })
    expect(await given.load()).toEqual(await sqlDirectory(folder).load())
  })

  it('knows the reverse of a migration where there is one', async () => {
    const set = await load(fixture.files)
    const downs = set.map(({ down }) => down?.trim()).filter((down) => down !== undefined)
    const isOneWay = format === 'plain' || format === 'drizzle'
    expect(downs.map((down) => down.split('\n').at(-1))).toEqual(
      isOneWay ? [] : ['drop table loans;'],
    )
  })

  it('migrates two schemas, and does nothing the second time', async () => {
    const prefix = database.prefix()
    const router = await routerOf(prefix, fixture.files)
    for (const slug of ['acme', 'beta']) await router.tenants.create({ slug })
    const { rows } = await database.admin.query(
      `select schemaname from pg_tables where tablename = 'loans' and schemaname like $1 order by 1`,
      [`${prefix}%`],
    )
    expect(rows).toEqual([{ schemaname: `${prefix}acme` }, { schemaname: `${prefix}beta` }])
    const { outcomes } = await router.migrations.up()
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current', 'current'])
  })

  it('names the line of the file in which a migration fails', async () => {
    const prefix = database.prefix()
    const router = await routerOf(prefix, fixture.files)
    await router.tenants.create({ slug: 'acme' })
    const broken = await routerOf(prefix, { ...fixture.files, ...fixture.broken })
    const error = await broken.migrations.up().then(undefined, (thrown: unknown) => thrown)
    if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
    const { outcomes } = error.report as RunReport
    expect(outcomes[1]?.error).toMatchObject({ code: 'MIGRATION_FAILED', ...fixture.fails })
  })
})

async function routerOf(prefix: string, files: MigrationFiles): Promise<SchemaRouter> {
  const source = sqlDirectory(await migrations.folder(files))
  return new SchemaRouter({
    pool: database.pool({ max: 2 }),
    schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix, migrations: source } },
  })
}

describe('sqlDirectory', () => {
  it('refuses a folder of two formats and names the files', async () => {
    const error = await refusal({ 'V1__loans.sql': LOANS, '2_fees.up.sql': LOANS })
    expect(error).toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      candidates: ['2_fees.up.sql', 'V1__loans.sql'],
      message: expect.stringMatching(
        /2_fees\.up\.sql, V1__loans\.sql.*golang-migrate, flyway/,
      ) as string,
    })
  })

  it.each([
    ['a name that fits no format', { 'loans.sql': LOANS }, 'loans.sql'],
    [
      'a repeatable migration of Flyway',
      { 'V1__a.sql': LOANS, 'R__view.sql': LOANS },
      'R__view.sql',
    ],
    ['two of one version', { 'V1__a.sql': LOANS, 'V1.0__b.sql': LOANS }, 'V1.0__b.sql'],
    ['two of one number', { '1_a.up.sql': LOANS, '01_b.up.sql': LOANS }, '1_a.up.sql'],
    ['a reverse of nothing', { '1_a.up.sql': LOANS, '2_b.down.sql': LOANS }, '2_b.down.sql'],
    [
      'a file that the journal does not name',
      { '0000_a.sql': LOANS, '0001_b.sql': LOANS, 'meta/_journal.json': journal('0000_a') },
      '0001_b.sql',
    ],
    [
      'a file that is not there',
      { 'meta/_journal.json': journal('0000_a'), '1.sql': '' },
      '0000_a.sql',
    ],
    ['a journal that is none', { 'meta/_journal.json': '[]', '1.sql': '' }, 'meta/_journal.json'],
    ['a journal of a word', { 'meta/_journal.json': '"x"', '1.sql': '' }, 'meta/_journal.json'],
    [
      'a journal of words',
      { 'meta/_journal.json': '{"entries":["0000_a"]}', '1.sql': '' },
      'meta/_journal.json',
    ],
    [
      'SQL above the first mark',
      { '1_a.sql': '-- migrate:up\n', '2_b.sql': 'select 1;\n-- migrate:up' },
      '2_b.sql',
    ],
    [
      'a file without a mark among others',
      { '1_a.sql': '-- +goose Up\n', '2_b.sql': LOANS },
      '2_b.sql',
    ],
  ])('refuses %s', async (_what, files, file) => {
    const error = await refusal(files)
    expect(error).toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      message: expect.stringContaining(file) as string,
    })
  })

  it('refuses a folder without a migration, unless its format is given', async () => {
    expect(await refusal({ '1_loans.ts': '' })).toMatchObject({ code: 'MIGRATION_SOURCE_INVALID' })
    expect(await load({ 'README.md': '' }, { format: 'flyway' })).toEqual([])
  })

  it('refuses a folder that does not exist', async () => {
    const error = await sqlDirectory('/nowhere/at/all')
      .load()
      .then(undefined, (thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'MIGRATION_SOURCE_INVALID', file: '/nowhere/at/all' })
  })

  it('refuses an unknown format at once', () => {
    expect(() => sqlDirectory('migrations', { format: 'liquibase' as 'plain' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', option: 'format' }) as Error,
    )
  })

  it('marks what dbmate and goose keep out of a transaction, in the same line', async () => {
    const mark = '-- postgres-migrations disable-transaction'
    const [dbmate] = await load({
      '1_a.sql':
        '-- comment\n-- migrate:up transaction:false\nselect 1;\n-- migrate:down\nselect 2;',
    })
    expect(dbmate).toMatchObject({
      sql: `\n${mark}\nselect 1;`,
      down: '\n\n\n-- migrate:down\nselect 2;',
    })
    const [goose] = await load({ '1_a.sql': '-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;' })
    expect(goose?.sql).toBe(`\n${mark}\nselect 1;`)
  })

  it('keeps the hash of a migration whose reverse is changed', async () => {
    const [before] = await load({
      '1_a.sql': '-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;',
    })
    const [after] = await load({
      '1_a.sql': '-- migrate:up\nselect 1;\n-- migrate:down\nselect 3;',
    })
    expect(after?.hash).toBe(before?.hash)
    expect(after?.down).not.toBe(before?.down)
  })

  it('drops the byte order mark of a file, which is no SQL', async () => {
    const [first] = await load({ '1_a.sql': '\uFEFFselect 1;' })
    expect(first?.sql).toBe('select 1;')
  })
})
