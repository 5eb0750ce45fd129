import { execFile } from 'node:child_process'
import { readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { type RestoreOptions, type RowEvent, SchemaRouter, select } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it, vi } from 'vitest'
import { structureOf } from '../../src/lifecycle/rows/structure-of.js'
import { diffSchemas } from '../../src/migration/verify/difference.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { useDatabase } from '../support/database.js'
import { withDatabase } from '../support/database-url.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { findSystemPostgres, useSystemServer } from '../support/system-postgres.js'
import { contentsOf, moveAmounts, useFolder } from './archive-fleet.js'
import { AWKWARD_FILL, AWKWARD_MORE } from './awkward-rows.js'
import { type Fleet, openFleet } from './fleet.js'

const system = await findSystemPostgres()
const server = await useSystemServer(system)
const database = useDatabase(server)
/** On the server of the run, which is of another version in most runs. */
const elsewhere = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

const program = (name: string): string => system?.program(name) ?? name
const engine = { engine: 'pg_dump', pgDump: program('pg_dump') } as const
const pgRestore = program('pg_restore')

const LOANS: MigrationFiles = {
  '1_loans.sql': `create table loans (id serial primary key, amount int not null);
    create table fees (id int generated always as identity primary key,
      loan int not null references loans, amount int not null);
    create function total() returns bigint language sql stable set search_path from current
      as 'select sum(amount) from loans';
    insert into loans (amount) values (1);`,
}

/** A busy machine takes longer than vitest's second. */
const PATIENCE = { timeout: 30_000 }

interface BackedUp extends Fleet {
  readonly file: string
}

async function setUp(
  tenants = LOANS,
  fill = 'insert into NAME.loans (amount) values (5)',
): Promise<BackedUp> {
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  const host = fleet.prefix.replace('_', '')
  const domains = [`${host}acme.example.com`, `${host}acme.example.org/loans`]
  await fleet.router.tenants.create({
    slug: 'acme',
    name: 'Acme Lending',
    domains,
    metadata: { plan: 'gold' },
  })
  await database.admin.query(fill.replaceAll('NAME', `${fleet.prefix}acme`))
  return { ...fleet, file: folder.file('acme.dump') }
}

const backUp = ({ router, file }: BackedUp): ReturnType<typeof router.tenants.backup> =>
  router.tenants.backup('acme', file, engine)

async function takeAway({ router }: Fleet): Promise<void> {
  await router.tenants.delete('acme')
  await router.tenants.purge('acme', { confirm: 'acme' })
}

/** Everything in a schema, in the words of the server. */
async function structure(schema: string): ReturnType<typeof structureOf> {
  const client = await database.admin.connect()
  try {
    await client.query('begin')
    return await structureOf(client, parseSchemaName(schema))
  } finally {
    await client.query('rollback')
    client.release()
  }
}

/** Everything that is to come back. */
async function stateOf(schema: string): Promise<readonly unknown[]> {
  return [await structure(schema), await contentsOf(database, schema)]
}

async function requireSame(schema: string, before: readonly unknown[]): Promise<void> {
  const [items, contents] = before
  expect(
    diffSchemas(items as Awaited<ReturnType<typeof structure>>, await structure(schema)),
  ).toEqual([])
  expect(await contentsOf(database, schema)).toEqual(contents)
}

const leftBeside = async (file: string): Promise<readonly string[]> => {
  const names = await readdir(dirname(file))
  return names.filter((name) => name.startsWith(basename(file)))
}

describe.skipIf(system === undefined)('tenants.backup with pg_dump', () => {
  it('brings back row, domains, ledger, structure and rows', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    const before = await router.tenants.get('acme')
    const domains = await router.tenants.domains.list('acme')
    const state = await stateOf(`${prefix}acme`)
    expect(await backUp(fleet)).toMatchObject({ tenant: 'acme', version: 1, tables: 2, rows: 2 })
    await takeAway(fleet)
    const events: RowEvent[] = []
    const onEvent = (event: RowEvent): unknown => events.push(event)
    const report = await router.tenants.restore(file, { pgRestore, onEvent })
    expect(report).toMatchObject({ tables: 2, rows: 2, migrated: [], verified: true })
    const { id: _, createdAt: __, ...row } = before
    expect(await router.tenants.get('acme')).toMatchObject(row)
    expect(await router.tenants.domains.list('acme')).toEqual(domains)
    await requireSame(`${prefix}acme`, state)
    expect(events).toContainEqual({ kind: 'table', table: 'loans', rows: 2, bytes: 8 })
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('brings back what is awkward in schemas, under its name, another one and in its place', async () => {
    const fleet = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const { router, prefix, file } = fleet
    const state = await stateOf(`${prefix}acme`)
    await backUp(fleet)
    await router.tenants.restore(file, { pgRestore, as: 'beta' })
    await requireSame(`${prefix}beta`, state)
    await requireSame(`${prefix}acme`, state)
    await database.admin.query(`drop table ${prefix}acme.loans cascade`)
    const { former = '' } = await router.tenants.restore(file, { pgRestore, replace: true })
    await requireSame(`${prefix}acme`, state)
    await database.admin.query(`drop schema ${former} cascade`)
    await takeAway(fleet)
    await router.tenants.restore(file, { pgRestore })
    await requireSame(`${prefix}acme`, state)
    expect((await router.migrations.verify()).findings).toEqual([])
    const others = await router.tenants.audit()
    expect(others.findings.filter(({ schema = '' }) => schema.startsWith(prefix))).toEqual([])
  })

  it('leaves a file that pg_restore works on alone', async () => {
    const fleet = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const { prefix, file } = fleet
    const state = await stateOf(`${prefix}acme`)
    await backUp(fleet)
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    const { stderr } = await promisify(execFile)(pgRestore, [`--dbname=${database.url}`, file])
    expect(stderr).toBe('')
    await requireSame(`${prefix}acme`, state)
  })

  it('holds one moment under concurrent writes', async () => {
    const fleet = await setUp(LOANS, 'insert into NAME.loans (amount) values (1000)')
    const { router, prefix, file } = fleet
    const stop = moveAmounts(database, `${prefix}acme`)
    await backUp(fleet)
    expect(await stop()).toBeGreaterThan(0)
    // The sums in the sidecar and the rows of pg_dump are of the same moment, or this fails.
    await router.tenants.restore(file, { pgRestore, as: 'then' })
    const sum = `select (select sum(amount) from ${prefix}then.loans)
      + coalesce((select sum(amount) from ${prefix}then.fees), 0)`
    expect(Number(await fleet.one(sum))).toBe(1001)
  })

  it('takes a schema that its migrations did not make', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await database.admin.query(`alter table ${prefix}acme.loans add by_hand varchar(9) default 'x'
      check (by_hand in ('x', 'y')); alter table ${prefix}acme.loans drop constraint loans_pkey cascade`)
    await database.admin
      .query(`create unique index concurrently broken on ${prefix}acme.loans (by_hand)`)
      .catch(() => {})
    await backUp(fleet)
    const contents = await contentsOf(database, `${prefix}acme`)
    await router.tenants.restore(file, { pgRestore, as: 'beta' })
    expect(await contentsOf(database, `${prefix}beta`)).toEqual(contents)
  })

  it('takes a tenant that another tool migrates', async () => {
    const tool: MigrationBridge = {
      kind: 'bridge',
      origin: 'A tool',
      pending: () => Promise.resolve([]),
      up: async ({ client }) => {
        await client.query('create table if not exists loans (id int)')
        await client.query('create table if not exists migrations (step text)')
        return ['loans']
      },
    }
    const prefix = database.prefix()
    const schemas = { shared: { name: `shared_${prefix}` }, tenants: { prefix, migrations: tool } }
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    await database.admin.query(`insert into ${prefix}acme.loans values (7)`)
    const file = folder.file('bridged.dump')
    await router.tenants.backup('acme', file, engine)
    expect(await router.tenants.restore(file, { pgRestore, as: 'beta' })).toMatchObject({
      verified: true,
      migrated: [],
      rows: 1,
    })
    await requireSame(`${prefix}beta`, await stateOf(`${prefix}acme`))
  })

  it('is the engine of a whole fleet, whose folder is restored by pg_restore', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.create({ slug: 'beta' })
    const state = await stateOf(`${prefix}acme`)
    const fleet = folder.file('fleet')
    const options = { select: select.tenants(), lockTimeout: 30_000 }
    await router.tenants.backupAll(fleet, { ...options, ...engine })
    expect((await readdir(fleet)).toSorted()).toEqual([
      'acme.dump',
      'acme.dump.json',
      'beta.dump',
      'beta.dump.json',
      'manifest.jsonl',
    ])
    for (const slug of ['acme', 'beta']) {
      await router.tenants.delete(slug)
      await router.tenants.purge(slug, { confirm: slug })
    }
    vi.stubEnv('PATH', `${dirname(pgRestore)}:${process.env['PATH'] ?? ''}`)
    await router.tenants.restoreAll(fleet)
    vi.unstubAllEnvs()
    await requireSame(`${prefix}acme`, state)
  })

  it('keeps grants, as pg_dump does', async () => {
    const role = `reader_${database.name}`
    await database.admin.query(`create role ${role}`)
    try {
      const fleet = await setUp(
        LOANS,
        `grant usage on schema NAME to ${role}; grant select on NAME.loans to ${role}`,
      )
      await backUp(fleet)
      await fleet.router.tenants.restore(fleet.file, { pgRestore, as: 'beta' })
      const may = `select has_schema_privilege('${role}', '${fleet.prefix}beta', 'usage')
        and has_table_privilege('${role}', '${fleet.prefix}beta.loans', 'select')`
      expect(await fleet.one(may)).toBe(true)
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })

  it('stops for a signal, and leaves no file', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    const client = await database.admin.connect()
    const stop = new AbortController()
    try {
      await client.query(`begin; lock table ${prefix}acme.loans in access exclusive mode`)
      const running = router.tenants.backup('acme', file, { ...engine, signal: stop.signal })
      await expect.poll(() => waiting(prefix)).toBe(true)
      stop.abort(new Error('enough'))
      await expect(running).rejects.toThrow('enough')
    } finally {
      await client.query('rollback')
      client.release()
    }
    expect(await leftBeside(file)).toEqual([])
    await backUp(fleet)
  })

  it('stops the program for a signal, and leaves no file', async () => {
    const { router, file } = await setUp()
    const slow = folder.file('slow-pg-dump')
    const script = `#!/bin/sh
      if [ "$1" = --version ]; then exec ${program('pg_dump')} --version; fi
      for word; do case "$word" in --file=*) echo begun > "\${word#--file=}";; esac; done
      exec sleep 600`
    await writeFile(slow, script, { mode: 0o755 })
    const stop = new AbortController()
    const options = { ...engine, pgDump: slow, signal: stop.signal }
    const running = router.tenants.backup('acme', file, options)
    await expect.poll(() => leftBeside(file)).toEqual([expect.stringContaining('.part-')])
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(await leftBeside(file)).toEqual([])
    // The client is usable as before.
    await router.tenants.backup('acme', file, engine)
  })

  it('says what pg_dump has said, and keeps the former file', async () => {
    const fleet = await setUp()
    const { router, file } = fleet
    await backUp(fleet)
    const before = await readFile(file)
    const role = `limited_${database.name}`
    await database.admin.query(`create role ${role} login password 'x'`)
    const rights = `grant usage on schema SHARED, ${fleet.prefix}acme to ${role};
      grant select, update on all tables in schema SHARED, ${fleet.prefix}acme to ${role};`
    await database.admin.query(rights.replaceAll('SHARED', fleet.shared))
    try {
      const url = new URL(database.url)
      url.username = role
      url.password = 'x'
      const pool = database.pool({ connectionString: url.href })
      const limited = new SchemaRouter({ pool, schemas: fleet.schemas })
      await expect(limited.tenants.backup('acme', file, engine)).rejects.toMatchObject({
        code: 'PG_DUMP_FAILED',
        tenant: 'acme',
        log: expect.stringContaining('permission denied for sequence') as string,
      })
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
    expect(await readFile(file)).toEqual(before)
    expect(await leftBeside(file)).toHaveLength(2)
    await expect(router.tenants.backup('acme', new Writable(), engine)).rejects.toMatchObject({
      option: 'target',
    })
    const odd = { pgDump: 'pg_dump' }
    await expect(router.tenants.backup('acme', file, odd)).rejects.toMatchObject({
      option: 'pgDump',
    })
  })
})

async function waiting(prefix: string): Promise<boolean> {
  const { rows } = await database.admin.query(
    `select from pg_locks where relation = '${prefix}acme.loans'::regclass and not granted`,
  )
  return rows.length > 0
}

describe.skipIf(system === undefined)('tenants.restore from pg_dump', () => {
  it('needs a slug for an archive without its sidecar, and says that nothing was compared', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await promisify(execFile)(program('pg_dump'), [
      '--format=custom',
      `--schema=${prefix}acme`,
      `--file=${file}`,
      database.url,
    ])
    const restore = (options: RestoreOptions): Promise<unknown> =>
      router.tenants.restore(file, { pgRestore, ...options })
    await expect(restore({})).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'as' })
    expect(await restore({ as: 'beta' })).toMatchObject({
      verified: false,
      rows: 2,
      tenant: { slug: 'beta', name: 'beta', schema: `${prefix}beta`, status: 'active' },
    })
    expect(await restore({ as: 'acme', replace: true })).toMatchObject({
      tenant: { name: 'Acme Lending' },
    })
    expect(await contentsOf(database, `${prefix}beta`)).toEqual(
      await contentsOf(database, `${prefix}acme`),
    )
  })

  it('takes rows that were written as INSERT', async () => {
    const fleet = await setUp(
      { '1_notes.sql': 'create table notes (id int, note text)' },
      `insert into NAME.notes values (1, E'a;\n-- b\n''c";\n'), (2, null)`,
    )
    const { router, prefix, file } = fleet
    const args = ['--format=custom', '--inserts', `--schema=${prefix}acme`, `--file=${file}`]
    await promisify(execFile)(program('pg_dump'), [...args, database.url])
    await router.tenants.restore(file, { pgRestore, as: 'beta' })
    expect(await contentsOf(database, `${prefix}beta`)).toEqual(
      await contentsOf(database, `${prefix}acme`),
    )
  })

  it('applies the migrations that came after the backup, with their hooks', async () => {
    const fleet = await setUp()
    await backUp(fleet)
    const schemas = await migrations.fleet(fleet.prefix, {
      tenants: {
        ...LOANS,
        '2_notes.sql': 'alter table loans add note text; update loans set note = amount::text',
      },
    })
    const called: string[] = []
    const hooks = { beforeMigrate: () => void called.push('before') }
    const newer = new SchemaRouter({ pool: database.pool(), schemas, hooks })
    const { migrated } = await newer.tenants.restore(fleet.file, { pgRestore, as: 'beta' })
    expect(migrated).toEqual(['2_notes.sql'])
    expect(called).toEqual(['before'])
    expect(await fleet.one(`select note from ${fleet.prefix}beta.loans where id = 2`)).toBe('5')
    await takeAway(fleet)
    const itself = await newer.tenants.restore(fleet.file, { pgRestore })
    expect(itself.migrated).toEqual(['2_notes.sql'])
    const other = await migrations.fleet(fleet.prefix, { tenants: {} })
    const older = new SchemaRouter({ pool: database.pool(), schemas: other })
    await expect(older.tenants.restore(fleet.file, { pgRestore, as: 'c' })).rejects.toMatchObject({
      code: 'MIGRATION_UNKNOWN',
    })
  })

  it('does not disturb the tenant whose name is in the archive', async () => {
    const fleet = await setUp(
      {
        '1_loans.sql': `create table loans (id int primary key);
        create table slow (id int check (pg_advisory_xact_lock_shared(4711) is not null))`,
      },
      'insert into NAME.loans values (1); insert into NAME.slow values (1)',
    )
    const { router, prefix, file } = fleet
    await backUp(fleet)
    const client = await database.admin.connect()
    try {
      await client.query('begin; select pg_advisory_xact_lock(4711)')
      const restoring = fleet.another().tenants.restore(file, { pgRestore, as: 'beta' })
      await expect
        .poll(() => fleet.one(`select count(*)::int from pg_locks where not granted`), PATIENCE)
        .toBe(1)
      await router.withTenant('acme', (db) => db.query('insert into loans values (2)'))
      await router.withTenant('acme', (db) => db.query('insert into loans values (3)'), {
        transaction: true,
      })
      await client.query('rollback')
      await restoring
    } finally {
      await client.query('rollback')
      client.release()
    }
    const { rows } = await router.withTenant('acme', (db) => db.query('select from loans'))
    expect(rows).toHaveLength(3)
    expect(await fleet.one(`select count(*)::int from ${prefix}beta.loans`)).toBe(1)
  })

  it('refuses another name where a body has the former one in it', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await database.admin.query(
      `create function ${prefix}acme.named() returns bigint language sql
        as 'select count(*) from ${prefix}acme.loans'`,
    )
    await backUp(fleet)
    const refused = router.tenants.restore(file, { pgRestore, as: 'beta' })
    await expect(refused).rejects.toMatchObject({
      code: 'RENAME_UNSAFE',
      candidates: ['function named()'],
    })
    expect(await fleet.schemaExists(`${prefix}beta`)).toBe(false)
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(true)
    await takeAway(fleet)
    await router.tenants.restore(file, { pgRestore })
    expect(await fleet.one(`select ${prefix}acme.named()::int`)).toBe(2)
  })

  it('leaves a deletion behind that was noted on the schema', async () => {
    const fleet = await setUp()
    const { router, file } = fleet
    await router.tenants.delete('acme')
    await backUp(fleet)
    await router.tenants.purge('acme', { confirm: 'acme' })
    const { tenant } = await router.tenants.restore(file, { pgRestore })
    expect(tenant.status).toBe('suspended')
    const { findings } = await router.tenants.audit()
    expect(findings.filter(({ schema }) => schema === tenant.schema)).toEqual([])
  })

  it('refuses what is broken, truncated, foreign or not one schema, and changes nothing', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await backUp(fleet)
    const whole = await readFile(file)
    const sidecar = await readFile(`${file}.json`, 'utf8')
    const state = await stateOf(`${prefix}acme`)
    const cases: readonly (readonly [string, Buffer, string | undefined, string])[] = [
      ['half of it', whole.subarray(0, whole.length / 2), undefined, 'ARCHIVE_INVALID'],
      ['its last byte missing', whole.subarray(0, -9), undefined, 'ARCHIVE_INVALID'],
      ['another byte, beside a sidecar', altered(whole), sidecar, 'ARCHIVE_INVALID'],
      ['no more than its begin', whole.subarray(0, 40), undefined, 'ARCHIVE_INVALID'],
      ['a later form', laterForm(whole), undefined, 'PG_DUMP_UNFIT'],
      ['a broken sidecar', whole, sidecar.slice(0, 99), 'ARCHIVE_INVALID'],
      ['no sidecar', whole, '{}', 'ARCHIVE_INVALID'],
      ['a number beside it', whole, '7', 'ARCHIVE_INVALID'],
      [
        'the sidecar of another schema',
        whole,
        sidecar.replaceAll(`"${prefix}acme"`, `"${prefix}other"`),
        'ARCHIVE_INVALID',
      ],
      ['a later sidecar', whole, sidecar.replaceAll('"format":1', '"format":2'), 'ARCHIVE_NEWER'],
      ['other sums', whole, sidecar.replace('"loans":"2 ', '"loans":"3 '), 'RESTORE_DIFFERS'],
      [
        'something missing',
        whole,
        sidecar
          .replace('"name":"loans_pkey"', '"name":"loans_key"')
          .replace('"name":"loans.loans_pkey"', '"name":"loans.loans_key"'),
        'RESTORE_DIFFERS',
      ],
    ]
    for (const [what, bytes, beside, code] of cases) {
      const bad = folder.file('bad.dump')
      await writeFile(bad, bytes)
      if (beside !== undefined) await writeFile(`${bad}.json`, beside)
      const restored = router.tenants.restore(bad, { pgRestore, as: 'beta' })
      await expect(restored, what).rejects.toMatchObject({ code })
    }
    const two = folder.file('two.dump')
    const schemas = [`--schema=${prefix}acme`, `--schema=${fleet.shared}`]
    await promisify(execFile)(program('pg_dump'), ['-Fc', ...schemas, '-f', two, database.url])
    await expect(router.tenants.restore(two, { pgRestore, as: 'beta' })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      candidates: expect.arrayContaining([expect.stringContaining('SCHEMA')]) as string[],
    })
    const none = folder.file('none.dump')
    const table = `--table=${prefix}acme.loans`
    await promisify(execFile)(program('pg_dump'), ['-Fc', table, '-f', none, database.url])
    await expect(router.tenants.restore(none, { pgRestore, as: 'beta' })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('makes no schema') as string,
    })
    const odd = `"${prefix}Odd name"`
    await database.admin.query(`create schema ${odd}`)
    await promisify(execFile)(program('pg_dump'), ['-Fc', `-n${odd}`, '-f', none, database.url])
    await database.admin.query(`drop schema ${odd}`)
    await expect(router.tenants.restore(none, { pgRestore, as: 'beta' })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
    const stream = router.tenants.restore(Readable.from([whole]), { as: 'beta' })
    await expect(stream).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('no stream') as string,
    })
    expect(await fleet.schemaExists(`${prefix}beta`)).toBe(false)
    expect(await router.tenants.list()).toHaveLength(1)
    await requireSame(`${prefix}acme`, state)
  })

  it('notices in the middle that the rest is missing, and leaves the client usable', async () => {
    const fleet = await setUp(
      LOANS,
      'insert into NAME.loans (amount) select n from generate_series(1, 200000) n',
    )
    const { router, prefix, file } = fleet
    await backUp(fleet)
    await rm(`${file}.json`)
    const whole = await readFile(file)
    await truncate(file, Math.floor(whole.length * 0.8))
    for (let times = 0; times < 2; times += 1) {
      const restored = router.tenants.restore(file, { pgRestore, as: 'beta' })
      await expect(restored).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    }
    await writeFile(file, whole)
    const { rows, bytes } = await router.tenants.restore(file, { pgRestore, as: 'beta' })
    expect(rows).toBe(200_001)
    expect(bytes).toBeGreaterThan(1_000_000)
    expect(await fleet.one(`select count(*)::int from ${prefix}beta.loans`)).toBe(200_001)
  })

  it('stops for a signal, and changes nothing', async () => {
    const fleet = await setUp(
      { '1_notes.sql': 'create table notes (note text)' },
      `insert into NAME.notes select repeat('x', 2000) from generate_series(1, 10000)`,
    )
    const { router, prefix, file } = fleet
    await backUp(fleet)
    const stop = new AbortController()
    const onEvent = (): void => stop.abort(new Error('enough'))
    const options = { pgRestore, as: 'beta', signal: stop.signal, onEvent }
    await expect(router.tenants.restore(file, options)).rejects.toThrow('enough')
    expect(await fleet.schemaExists(`${prefix}beta`)).toBe(false)
  })

  it('refuses a slug that is taken, and a schema that is there', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await backUp(fleet)
    const taken = router.tenants.restore(file, { pgRestore })
    await expect(taken).rejects.toMatchObject({ code: 'TENANT_EXISTS' })
    await database.admin.query(`create schema ${prefix}beta`)
    const there = router.tenants.restore(file, { pgRestore, as: 'beta' })
    await expect(there).rejects.toMatchObject({ code: 'SCHEMA_EXISTS' })
    const missing = router.tenants.restore(file, { pgRestore: '/nowhere/pg_restore', as: 'c' })
    await expect(missing).rejects.toMatchObject({ code: 'PG_DUMP_UNFIT' })
  })

  it('restores to the server of another version', async () => {
    const fleet = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const { prefix, file } = fleet
    const contents = await contentsOf(database, `${prefix}acme`)
    await backUp(fleet)
    const other = new SchemaRouter({ pool: elsewhere.pool(), schemas: fleet.schemas })
    await other.migrations.up()
    const restored = await other.tenants.restore(file, { pgRestore, as: 'beta' })
    expect(restored.verified).toBe(true)
    expect(await contentsOf(elsewhere, `${prefix}beta`)).toEqual(contents)
  })

  it('restores to another database', async () => {
    const fleet = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const { prefix, file } = fleet
    const state = await stateOf(`${prefix}acme`)
    await backUp(fleet)
    const name = `${database.name}_other`
    await database.admin.query(`create database ${name}`)
    const pool = database.pool({ connectionString: withDatabase(database.url, name) })
    try {
      const other = new SchemaRouter({ pool, schemas: fleet.schemas })
      await other.migrations.up()
      await other.tenants.restore(file, { pgRestore })
      const otherDatabase = { ...database, admin: pool }
      expect(await contentsOf(otherDatabase, `${prefix}acme`)).toEqual(state[1])
      expect((await other.migrations.verify()).findings).toEqual([])
    } finally {
      await pool.end()
      // By force it would end connections that are just closing, and the pool would tell nobody of it.
      await database.admin.query(`drop database ${name}`)
    }
  })
})

function altered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length - 20] = (copy.at(-20) ?? 0) ^ 1
  return copy
}

/** The second number of the form comes after the magic and the first one. */
function laterForm(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[6] = 99
  return copy
}
