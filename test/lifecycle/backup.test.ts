import { createReadStream } from 'node:fs'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type RowEvent, SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { contentsOf, moveAmounts, useFolder } from './archive-fleet.js'
import { AWKWARD_FILL, AWKWARD_MORE } from './awkward-rows.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

const LOANS: MigrationFiles = {
  '1_loans.sql': `create table loans (id serial primary key, amount int not null);
    create table fees (id int generated always as identity primary key,
      loan int not null references loans, amount int not null);
    insert into loans (amount) values (1);`,
}

async function setUp(
  tenants = LOANS,
  fill = 'insert into NAME.loans (amount) values (5)',
): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({
    slug: 'acme',
    name: 'Acme Lending',
    domains: ['acme.example.com', 'acme.example.org/loans'].map(
      (each) => fleet.prefix.replace('_', '') + each,
    ),
    metadata: { plan: 'gold' },
  })
  await database.admin.query(fill.replaceAll('NAME', `${fleet.prefix}acme`))
  return fleet
}

/** Backs the tenant up and takes it away, as if it had been lost. */
async function backedUpAndGone({ router }: Fleet): Promise<string> {
  const file = folder.file('acme.tenantry.gz')
  await router.tenants.backup('acme', file)
  await router.tenants.delete('acme')
  await router.tenants.purge('acme', { confirm: 'acme' })
  return file
}

describe('tenants.backup and tenants.restore', () => {
  it('bring back row, domains, ledger, structure and rows', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    const before = await router.tenants.get('acme')
    const domains = await router.tenants.domains.list('acme')
    const contents = await contentsOf(database, `${prefix}acme`)
    const file = await backedUpAndGone(fleet)
    const report = await router.tenants.restore(file)
    expect(report).toMatchObject({ tables: 2, rows: 2, migrated: [] })
    const { id: _, createdAt: __, ...row } = before
    expect(await router.tenants.get('acme')).toMatchObject(row)
    expect(await router.tenants.domains.list('acme')).toEqual(domains)
    // That of the ledger too, with the times.
    expect(await contentsOf(database, `${prefix}acme`)).toEqual(contents)
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('bring back what is awkward in schemas', async () => {
    const fleet = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const { router, prefix } = fleet
    const contents = await contentsOf(database, `${prefix}acme`)
    const file = await backedUpAndGone(fleet)
    await router.tenants.restore(file)
    expect(await contentsOf(database, `${prefix}acme`)).toEqual(contents)
    await router.tenants.restore(file, { as: 'beta' })
    expect(await contentsOf(database, `${prefix}beta`)).toEqual(contents)
    expect((await router.migrations.verify()).findings).toEqual([])
    expect(await router.tenants.domains.list('beta')).toEqual([])
  })

  it('hold one moment under concurrent writes', async () => {
    const fleet = await setUp(LOANS, 'insert into NAME.loans (amount) values (1000)')
    const { router, prefix } = fleet
    // The sum over both tables is always 1001.
    const stop = moveAmounts(database, `${prefix}acme`)
    // Slow enough that moves come in between.
    const chunks: Buffer[] = []
    const target = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk)
        void database.admin.query('select pg_sleep(0.01)').then(() => done(), done)
      },
    })
    await router.tenants.backup('acme', target)
    expect(await stop()).toBeGreaterThan(0)
    await router.tenants.restore(Readable.from([Buffer.concat(chunks)]), { as: 'then' })
    const sum = `select (select sum(amount) from ${prefix}then.loans)
      + coalesce((select sum(amount) from ${prefix}then.fees), 0)`
    expect(Number(await fleet.one(sum))).toBe(1001)
  })

  it('keep nothing of a tenant in memory, and tell how far they are', async () => {
    const fleet = await setUp(
      LOANS,
      'insert into NAME.loans (amount) select n from generate_series(1, 200000) n',
    )
    const events: RowEvent[] = []
    const file = folder.file('large.tenantry.gz')
    await fleet.router.tenants.backup('acme', file, { onEvent: (event) => events.push(event) })
    const { tables, rows, bytes } = await fleet.router.tenants.restore(file, { as: 'beta' })
    expect(events).toEqual([
      { kind: 'table', table: 'loans', rows: 200_001, bytes: expect.any(Number) as number },
      { kind: 'table', table: 'fees', rows: 0, bytes: 0 },
    ])
    expect({ tables, rows, bytes }).toEqual({ tables: 2, rows: 200_001, bytes: events[0]?.bytes })
  })
})

describe('tenants.backup', () => {
  it('refuses a schema that is not what its migrations make, and names pg_dump', async () => {
    const { router, prefix } = await setUp()
    await database.admin.query(`alter table ${prefix}acme.loans add by_hand int`)
    const file = folder.file('drift.tenantry.gz')
    await expect(router.tenants.backup('acme', file)).rejects.toMatchObject({
      code: 'SCHEMA_DRIFT',
      message: expect.stringContaining('pg_dump') as string,
      candidates: [expect.stringContaining('by_hand')],
    })
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([
    ['nobody', 'TENANT_NOT_FOUND'],
    ['ACME', 'NAME_INVALID'],
  ])('refuses %s', async (slug, code) => {
    const { router } = await setUp()
    await expect(router.tenants.backup(slug, folder.file('no'))).rejects.toMatchObject({ code })
  })

  it('refuses what is no option and no target', async () => {
    const { router } = await setUp()
    const { tenants } = router
    const odd: object = { engine: 'magic' }
    await expect(tenants.backup('acme', 'x', odd)).rejects.toMatchObject({ option: 'engine' })
    // @ts-expect-error a number is no target
    await expect(tenants.backup('acme', 7)).rejects.toMatchObject({ option: 'target' })
  })

  it('leaves no file, and the former one, when the disk is full', async () => {
    const { router } = await setUp()
    const full = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
      },
    })
    await expect(router.tenants.backup('acme', full)).rejects.toMatchObject({ code: 'ENOSPC' })
    const file = folder.file('kept.tenantry.gz')
    await router.tenants.backup('acme', file)
    const before = await readFile(file)
    await database.admin.query(
      `alter table ${(await router.tenants.get('acme')).schema}.loans add x int`,
    )
    await expect(router.tenants.backup('acme', file)).rejects.toMatchObject({
      code: 'SCHEMA_DRIFT',
    })
    expect(await readFile(file)).toEqual(before)
    const names = await readdir(dirname(file))
    expect(names.filter((name) => name.includes('.part-'))).toEqual([])
  })

  it('stops in the middle of a table for a full disk and for a signal', async () => {
    const fleet = await setUp(
      LOANS,
      'insert into NAME.loans (amount) select n from generate_series(1, 300000) n',
    )
    const { router } = fleet
    let written = 0
    const full = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length
        done(written > 100_000 ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : null)
      },
    })
    await expect(router.tenants.backup('acme', full)).rejects.toMatchObject({ code: 'ENOSPC' })
    const stop = new AbortController()
    const stopping = new Writable({
      write(_chunk, _encoding, done) {
        stop.abort(new Error('enough'))
        done()
      },
    })
    const stopped = router.tenants.backup('acme', stopping, { signal: stop.signal })
    await expect(stopped).rejects.toThrow('enough')
    // The clients are usable as before.
    expect(await router.tenants.backup('acme', folder.file('whole.gz'))).toMatchObject({
      rows: 300_001,
    })
  })
})

describe('tenants.restore', () => {
  it('refuses a slug that is taken, and changes nothing', async () => {
    const { router, prefix } = await setUp()
    const file = folder.file('acme.tenantry.gz')
    await router.tenants.backup('acme', file)
    const contents = await contentsOf(database, `${prefix}acme`)
    await expect(router.tenants.restore(file)).rejects.toMatchObject({ code: 'TENANT_EXISTS' })
    expect(await contentsOf(database, `${prefix}acme`)).toEqual(contents)
  })

  it('applies the migrations that came after the backup', async () => {
    const fleet = await setUp()
    const file = await backedUpAndGone(fleet)
    const newer = await withFiles(fleet, {
      ...LOANS,
      '2_notes.sql': 'alter table loans add note text; update loans set note = amount::text',
    })
    const report = await newer.tenants.restore(file)
    expect(report.migrated).toEqual(['2_notes.sql'])
    expect(await fleet.one(`select note from ${fleet.prefix}acme.loans where id = 2`)).toBe('5')
  })

  it.each([
    ['MIGRATION_TAMPERED', { '1_loans.sql': 'create table loans (id int)' }],
    ['MIGRATION_UNKNOWN', {}],
  ])('refuses the archive of another service with %s', async (code, files) => {
    const fleet = await setUp()
    const file = await backedUpAndGone(fleet)
    const other = await withFiles(fleet, files)
    await expect(other.tenants.restore(file)).rejects.toMatchObject({ code })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
  })

  it('refuses what is broken, truncated, foreign or newer, and changes nothing', async () => {
    const fleet = await setUp()
    const { router } = fleet
    const whole = await readFile(await backedUpAndGone(fleet))
    const plain = gunzipSync(whole)
    const lines = plain.toString()
    const zip = (text: string): Buffer => gzipSync(Buffer.from(text))
    const cases: readonly (readonly [string, Buffer, string])[] = [
      ['nothing', Buffer.alloc(0), 'ARCHIVE_INVALID'],
      ['no gzip', Buffer.from('PK and more'), 'ARCHIVE_INVALID'],
      ['no archive', zip('{"a":1}\n'), 'ARCHIVE_INVALID'],
      ['half of the bytes', whole.subarray(0, whole.length / 2), 'ARCHIVE_INVALID'],
      ['the last line missing', zip(lines.split('{"end"')[0] ?? ''), 'ARCHIVE_INVALID'],
      ['another row', zip(lines.replace('2\t5\n', '2\t6\n')), 'ARCHIVE_INVALID'],
      ['another name', zip(lines.replace('Acme Lending', 'Acme Landing')), 'ARCHIVE_INVALID'],
      ['more behind', Buffer.concat([whole, zip('{"table":"x"}\n')]), 'ARCHIVE_INVALID'],
      ['a line without an end', zip('{"tenantry":'), 'ARCHIVE_INVALID'],
      ['no whole header', zip(lines.replace('"domains":', '"others":')), 'ARCHIVE_INVALID'],
      ['rows of no table', zip(lines.replace('\n', '\n{"data":2}\n1\n')), 'ARCHIVE_INVALID'],
      ['an unknown line', zip(lines.replace('\n', '\n{"other":1}\n')), 'ARCHIVE_INVALID'],
      ['no number', zip(lines.replace(/"data":\d+/, '"data":"all"')), 'ARCHIVE_INVALID'],
      ['a later form', zip(lines.replace('"format":1', '"format":2')), 'ARCHIVE_NEWER'],
    ]
    for (const [what, bytes, code] of cases) {
      const file = folder.file('bad.gz')
      await writeFile(file, bytes)
      await expect(router.tenants.restore(file), what).rejects.toMatchObject({ code })
      await expect(router.tenants.restore(Readable.from([bytes])), what).rejects.toMatchObject({
        code,
      })
    }
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
    expect(await router.tenants.list()).toEqual([])
  })

  it('takes a path or a stream, and passes on why a stream has failed', async () => {
    const { router } = await setUp()
    const odd: unknown = 7
    await expect(router.tenants.restore(odd as string)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    })
    const lost = new Error('the network is gone')
    const broken = new Readable({ read: () => broken.destroy(lost) })
    await expect(router.tenants.restore(broken)).rejects.toBe(lost)
    const nowhere = `${folder.file('file.gz')}/below`
    await writeFile(dirname(nowhere), '')
    await expect(router.tenants.restore(nowhere)).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it('says that a file does not exist or is a folder, and changes nothing', async () => {
    const { router } = await setUp()
    const before = await router.tenants.list()
    const missing = folder.file('missing.gz')
    await expect(router.tenants.restore(missing, { as: 'beta' })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringMatching(
        /missing\.gz" does not exist\. Nothing was changed\./,
      ) as string,
      file: missing,
      cause: { code: 'ENOENT' },
    })
    await expect(
      router.tenants.restore(dirname(missing), { as: 'acme', replace: true }),
    ).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('is a folder') as string,
      file: dirname(missing),
      cause: { code: 'EISDIR' },
    })
    await expect(router.tenants.restore(createReadStream(missing))).rejects.toMatchObject({
      message: expect.stringContaining('The file of the archive does not exist') as string,
    })
    expect(await router.tenants.list()).toEqual(before)
  })

  it('verifies the rows before it says that it is done', async () => {
    const dice: MigrationFiles = {
      '1_dice.sql': `create function throw() returns float language sql immutable
          as 'select random()';
        create table dice (id int, thrown float generated always as (throw()) stored);`,
    }
    const fleet = await setUp(dice, 'insert into NAME.dice (id) values (1)')
    const file = await backedUpAndGone(fleet)
    await expect(fleet.router.tenants.restore(file)).rejects.toMatchObject({
      code: 'RESTORE_DIFFERS',
      candidates: ['table dice'],
    })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
  })

  it('says what the server refuses in rows, and changes nothing', async () => {
    const fleet = await setUp({
      '1_loans.sql': `create table loans (id int, amount int
        check (current_setting('loans.closed', true) is distinct from 'yes'))`,
    })
    const file = await backedUpAndGone(fleet)
    const pool = database.pool({ options: '-c loans.closed=yes' })
    const closed = new SchemaRouter({ pool, schemas: fleet.schemas })
    await expect(closed.tenants.restore(file)).rejects.toMatchObject({ code: '23514' })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
    // The client is usable as before.
    await expect(closed.tenants.restore(file)).rejects.toMatchObject({ code: '23514' })
    await fleet.router.tenants.restore(file)
  })

  it('keeps a tenant suspended that was', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.suspend('acme')
    const file = await backedUpAndGone(fleet)
    expect((await fleet.router.tenants.restore(file)).tenant.status).toBe('suspended')
  })
})

async function withFiles({ prefix }: Fleet, tenants: MigrationFiles): Promise<SchemaRouter> {
  const schemas = await migrations.fleet(prefix, { tenants })
  return new SchemaRouter({ pool: database.pool(), schemas })
}
