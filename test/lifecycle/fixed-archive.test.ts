import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunReport, SchemaRouter, mappedRegistry, select } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type FleetFiles, useMigrationFolders } from '../support/migration-folder.js'
import { contentsOf, useFolder } from './archive-fleet.js'
import { type Fleet, openFleet } from './fleet.js'

const here = useDatabase()
const there = useDatabase()
const migrations = useMigrationFolders()
const folders = useFolder()

/** Tenants refer to the static schema, and that one to the shared one; each has rows by migrations. */
const filesFor = (prefix: string): FleetFiles => ({
  shared: {
    '1_currencies.sql': `create table currencies (code text primary key);
      insert into currencies values ('EUR'), ('XXX')`,
  },
  main: {
    '1_banks.sql': `create table banks (
        id int primary key generated always as identity, name text,
        currency text references shared_${prefix}.currencies);
      create view names as select name from banks`,
  },
  tenants: {
    '1_loans.sql': `create table loans (id int primary key, bank int references main_${prefix}.banks)`,
  },
})

const outcomesOf = ({ outcomes }: RunReport): Readonly<Record<string, string>> =>
  Object.fromEntries(outcomes.map(({ schema, tenant, status }) => [tenant ?? schema, status]))

/** The report of a run in which something failed. */
async function failedReport(run: Promise<RunReport>): Promise<RunReport> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'RUN_FAILED' })
  return Reflect.get(Object(error), 'report')
}

interface SetUp extends Fleet {
  readonly main: string
  readonly files: FleetFiles
}

async function setUp(): Promise<SetUp> {
  const fleet = await openFleet(here, migrations, filesFor)
  const { prefix } = fleet
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme' })
  const main = `main_${prefix}`
  await here.admin.query(`
    delete from ${fleet.shared}.currencies where code = 'XXX';
    insert into ${fleet.shared}.currencies values ('USD');
    insert into ${main}.banks (name, currency) values ('gone', 'EUR'), ('First', 'USD');
    delete from ${main}.banks where name = 'gone';
    insert into ${prefix}acme.loans values (1, 2)`)
  return { ...fleet, main, files: filesFor(prefix) }
}

const backUpAll = async ({ router }: Fleet): Promise<string> => {
  const folder = folders.file('fleet')
  await router.tenants.backupAll(folder, { select: select.all() })
  return folder
}

describe('archives of shared and static schemas', () => {
  it('are restored before the tenants that refer to them, in an empty database', async () => {
    const fleet = await setUp()
    const { shared, main, prefix, schemas } = fleet
    const folder = folders.file('fleet')
    const report = await fleet.router.tenants.backupAll(folder, { select: select.all() })
    expect(report.left).toEqual([])
    expect(outcomesOf(report)).toEqual({ [shared]: 'done', [main]: 'done', acme: 'done' })
    expect((await readdir(folder)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'acme.tenantry.gz',
      `${main}.static.tenantry.gz`,
      'manifest.jsonl',
      `${shared}.shared.tenantry.gz`,
    ])
    const lines = (await readFile(join(folder, 'manifest.jsonl'), 'utf8')).trim().split('\n')
    const kinds = lines.slice(1).map((line) => String(JSON.parse(line).kind))
    expect(kinds.toSorted((a, b) => a.localeCompare(b))).toEqual(['shared', 'static', 'tenant'])

    const other = new SchemaRouter({ pool: there.pool(), schemas })
    const restored = await other.tenants.restoreAll(folder)
    expect(restored.outcomes.map(({ kind }) => kind)).toEqual(['shared', 'static', 'tenant'])
    for (const schema of [main, `${prefix}acme`]) {
      const wanted = await contentsOf(here, schema)
      expect(await contentsOf(there, schema)).toEqual(wanted)
    }
    const { rows } = await there.admin.query(`select code from ${shared}.currencies order by 1`)
    expect(rows).toEqual([{ code: 'EUR' }, { code: 'USD' }])
    expect((await other.migrations.status()).every(({ pending }) => pending.length === 0)).toBe(
      true,
    )
    expect((await other.migrations.verify()).findings).toEqual([])

    expect(outcomesOf(await failedReport(other.tenants.restoreAll(folder)))).toEqual({
      [shared]: 'failed',
      [main]: 'skipped',
      acme: 'skipped',
    })
    const again = await other.tenants.restoreAll(folder, { skipExisting: true })
    expect(outcomesOf(again)).toEqual({ [shared]: 'current', [main]: 'current', acme: 'current' })
  })

  it('leave the registry to the tenants', async () => {
    const fleet = await setUp()
    const folder = await backUpAll(fleet)
    const other = new SchemaRouter({ pool: there.pool(), schemas: fleet.schemas })
    await other.tenants.restoreAll(folder)
    const { rows } = await there.admin.query(`select slug from ${fleet.shared}.tenantry_tenants`)
    expect(rows).toEqual([{ slug: 'acme' }])
  })

  it('get the migrations that came after the backup, and hooks', async () => {
    const fleet = await setUp()
    const folder = await backUpAll(fleet)
    const later = await migrations.folder({
      ...fleet.files.main,
      '2_rating.sql': `alter table banks add rating int default 7`,
    })
    const schemas = { ...fleet.schemas, static: { [fleet.main]: { migrations: later } } }
    const seen: string[] = []
    const hooks = {
      beforeMigrate: ({ schema }: { readonly schema: string }) =>
        void seen.push(`before ${schema}`),
      afterMigrate: ({ schema }: { readonly schema: string }) => void seen.push(`after ${schema}`),
    }
    const other = new SchemaRouter({ pool: there.pool(), schemas, hooks })
    await other.tenants.restoreAll(folder)
    const { rows } = await there.admin.query(`select name, rating from ${fleet.main}.banks`)
    expect(rows).toEqual([{ name: 'First', rating: 7 }])
    expect(seen).toContain(`before ${fleet.main}`)
    expect(seen).toContain(`after ${fleet.main}`)
  })

  it('are not restored over a schema that has been migrated', async () => {
    const fleet = await setUp()
    const folder = await backUpAll(fleet)
    const { main, shared } = fleet
    await here.admin.query(`drop schema ${main} cascade`)
    const report = await failedReport(fleet.router.tenants.restoreAll(folder))
    expect(report.outcomes[0]?.error).toMatchObject({ code: 'SCHEMA_EXISTS', schema: shared })
    const { rows } = await here.admin.query(`select code from ${shared}.currencies order by 1`)
    expect(rows).toEqual([{ code: 'EUR' }, { code: 'USD' }])
    const again = await fleet.router.tenants.restoreAll(folder, { skipExisting: true })
    expect(outcomesOf(again)).toEqual({ [shared]: 'current', [main]: 'done', acme: 'current' })
    expect((await here.admin.query(`select name from ${main}.banks`)).rows).toHaveLength(1)
  })

  it('are refused for a change by hand, and the others are written', async () => {
    const fleet = await setUp()
    const { main, shared } = fleet
    await here.admin.query(`create table ${main}.extra (id int)`)
    const folder = folders.file('fleet')
    const all = { select: select.all() }
    const report = await failedReport(fleet.router.tenants.backupAll(folder, all))
    expect(outcomesOf(report)).toEqual({ [shared]: 'done', [main]: 'failed', acme: 'done' })
    const failed = report.outcomes.find(({ status }) => status === 'failed')
    expect(failed?.error).toMatchObject({ code: 'SCHEMA_DRIFT', schema: main })
    await here.admin.query(`drop table ${main}.extra`)
    const again = await fleet.router.tenants.backupAll(folder, all)
    expect(outcomesOf(again)).toEqual({ [shared]: 'current', [main]: 'done', acme: 'current' })
  })

  it('are refused where foreign keys bind their rows to those of the registry', async () => {
    const { router, prefix } = await openFleet(here, migrations, (name) => ({
      shared: { '1_currencies.sql': 'create table currencies (code text primary key)' },
      main: {
        '1_bills.sql': `create table bills (
          tenant uuid references shared_${name}.tenantry_tenants (id))`,
      },
    }))
    await router.tenants.list()
    await router.migrations.up()
    const folder = folders.file('fleet')
    const run = router.tenants.backupAll(folder, { select: select.all() })
    const failed = (await failedReport(run)).outcomes.find(({ status }) => status === 'failed')
    expect(failed).toMatchObject({ schema: `main_${prefix}`, error: { code: 'OPTIONS_INVALID' } })
    expect(failed?.error?.message).toContain('bills_tenant_fkey')
  })

  it('leave the rows of a mapped registry to the tenants', async () => {
    const prefix = here.prefix()
    const schemas = await migrations.fleet(prefix, {
      shared: {
        '1_customers.sql': `create table customers (
            id int primary key generated always as identity, slug text unique, schema text unique);
          create table notes (text text)`,
      },
      tenants: { '1_loans.sql': 'create table loans (id int)' },
    })
    const registry = mappedRegistry({
      table: `shared_${prefix}.customers`,
      columns: { id: 'id', slug: 'slug', schema: 'schema' },
    })
    const router = new SchemaRouter({ pool: here.pool(), schemas, registry })
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    await here.admin.query(`insert into shared_${prefix}.notes values ('kept')`)
    const folder = folders.file('fleet')
    await router.tenants.backupAll(folder, { select: select.all() })
    const other = new SchemaRouter({ pool: there.pool(), schemas, registry })
    await other.tenants.restoreAll(folder)
    expect((await other.tenants.list()).map(({ slug }) => slug)).toEqual(['acme'])
    const { rows } = await there.admin.query(`select text from shared_${prefix}.notes`)
    expect(rows).toEqual([{ text: 'kept' }])
  })

  it('are no archives of tenants, and are for a router that has the schema', async () => {
    const fleet = await setUp()
    const folder = await backUpAll(fleet)
    const file = join(folder, `${fleet.main}.static.tenantry.gz`)
    await expect(fleet.router.tenants.restore(file)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      schema: fleet.main,
    })
    const other = new SchemaRouter({
      pool: there.pool(),
      schemas: { ...fleet.schemas, static: {} },
    })
    const report = await failedReport(other.tenants.restoreAll(folder))
    const failed = report.outcomes.find(({ status }) => status === 'failed')
    expect(failed).toMatchObject({ schema: fleet.main, error: { code: 'OPTIONS_INVALID' } })
    await writeFile(file, 'nothing')
    const third = new SchemaRouter({ pool: there.pool(), schemas: fleet.schemas })
    const broken = await failedReport(third.tenants.restoreAll(folder, { skipExisting: true }))
    const [error] = broken.outcomes.flatMap((each) => each.error ?? [])
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID' })
    expect(
      await there.admin.query(`select to_regnamespace('${fleet.main}')::text as name`),
    ).toMatchObject({ rows: [{ name: null }] })
  })

  it('leave out what another tool migrates, and restore nothing over it', async () => {
    const fleet = await setUp()
    const folder = await backUpAll(fleet)
    const tool: MigrationBridge = {
      kind: 'bridge',
      origin: 'A tool',
      pending: () => Promise.resolve([]),
      up: () => Promise.resolve([]),
    }
    const schemas = { ...fleet.schemas, static: { [fleet.main]: { migrations: tool } } }
    const bridged = new SchemaRouter({ pool: here.pool(), schemas })
    const { left } = await bridged.tenants.backupAll(folders.file('bridged'), {
      select: select.all(),
    })
    expect(left).toEqual([fleet.main])
    const other = new SchemaRouter({ pool: there.pool(), schemas })
    const report = await failedReport(other.tenants.restoreAll(folder))
    expect(report.outcomes.find(({ schema }) => schema === fleet.main)).toMatchObject({
      status: 'failed',
      error: {
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining('has another tool migrate it') as string,
      },
    })
  })

  it('are not written of a schema with the ledger of another tool', async () => {
    const { router, main } = await setUp()
    await here.admin.query(
      `drop table ${main}.migrations; create table ${main}.migrations (step text)`,
    )
    const report = await failedReport(
      router.tenants.backupAll(folders.file('foreign'), { select: select.all() }),
    )
    expect(report.outcomes.find(({ schema }) => schema === main)).toMatchObject({
      status: 'failed',
      error: { code: 'MIGRATION_UNKNOWN' },
    })
  })
})
