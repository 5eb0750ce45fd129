import { createHash } from 'node:crypto'
import { existsSync, readdirSync, symlinkSync } from 'node:fs'
import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { from as copyFrom } from 'pg-copy-streams'
import { type ExportFormat, type RowEvent, SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { useFolder } from './archive-fleet.js'
import { shutGate } from './crash.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

const LOANS: MigrationFiles = {
  '1_loans.sql': `create table loans (id int primary key, amount int not null);
    create table fees (id int generated always as identity primary key, amount int not null);
    create table history (note text);`,
}

async function setUp(tenants = LOANS, fill = ''): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({
    slug: 'acme',
    name: 'Acme Lending',
    domains: [`${fleet.prefix.replace('_', '')}acme.example.com`],
    metadata: { plan: 'gold' },
  })
  await database.admin.query(fill.replaceAll('NAME', `${fleet.prefix}acme`))
  return fleet
}

/** Some 40 MB. */
const LARGE = `insert into NAME.history select repeat('x', 1000) from generate_series(1, 40000)`

interface Contents {
  readonly at: string
  readonly tenant: object
  readonly domains: readonly object[]
  readonly tables: readonly ExportedTable[]
}

interface ExportedTable {
  readonly name: string
  readonly file: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

async function contentsOf(target: string): Promise<Contents> {
  return JSON.parse(await readFile(join(target, 'tenant.json'), 'utf8')) as Contents
}

/** The folders of exports that were not finished. */
async function leftOf(target: string): Promise<readonly string[]> {
  const names = await readdir(dirname(target))
  return names.filter((name) => name.startsWith(basename(target)))
}

async function linesIn(target: string, table: string): Promise<readonly Record<string, unknown>[]> {
  const { tables } = await contentsOf(target)
  const file = tables.find(({ name }) => name === table)?.file ?? ''
  const lines = (await readFile(join(target, file), 'utf8')).split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** What a call fails with, which is waited for later. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'It did not fail.',
    (error: unknown) => error,
  )

const AWKWARD: MigrationFiles = {
  '1_awkward.sql': `
    create type state as enum ('new', 'it''s, "paid"');
    create type place as (street text, number int);
    create domain cents as numeric(12, 2) check (value > 0);
    create table everything (
      id bigint generated always as identity, dropped int, note text, state state, at timestamptz,
      on_day date, number float8, exact numeric, bytes bytea, doc jsonb, plain json, words text[],
      wide interval, span int4range, about regclass, home place, amount cents, money money,
      bits bit(3), net inet, x xml, id_of uuid, yes boolean,
      twice numeric generated always as (exact * 2) stored);
    alter table everything drop column dropped;
    create table "Odd ""name"", with / and %" ("a,b" text, "say ""hi""" text, "line
end" int, everything int, line int);
    create table "Loans" (id int); create table loans (id int);
    create table con (id int); create table one (sole text); create table nothing ();
    create table empty (id int, note text);
    create table base (id int); create table heir (more int) inherits (base);
    create table events (id int not null, at date not null) partition by range (at);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    create table events_rest partition of events default partition by list (id);
    create table events_rest_1 partition of events_rest default;
    create table computed (n int generated always as (1) stored);
    create view seen as select 1 as one;
    create function translate(text, text, text) returns text language sql as 'select ''wrong''';`,
}
/** How often a text of 13 letters is repeated. */
const TIMES = 230_000
const AWKWARD_FILL = `
  set search_path = NAME;
  insert into everything (note, state, at, on_day, number, exact, bytes, doc, plain, words, wide, span,
      about, home, amount, money, bits, net, x, id_of, yes)
    values (E'"quoted", with\\nlines\\r\\nand \\\\ and \\ttab', 'it''s, "paid"', 'infinity', '-infinity', 'NaN',
      'NaN', '\\xdeadbeef', '{"a": [1, null, "b\\nc"]}', E'{ "b" :\\n\\r 2 }', '{NULL,"","a,b"}',
      '1 mon -2 days 03:04:05.678', '[1,5)', 'loans', row('Main, "St"', 3), 12.34, 12.34, '101',
      '10.0.0.1/8', '<a>b</a>', '00000000-0000-4000-8000-000000000001', true),
    ('', 'new', '2026-03-29 01:30:00+00', '0044-03-15 BC', '-Infinity', 12345678901234567890.123456789,
      '', 'null', 'null', '{}', '-1 year', 'empty', null, null, null, null, null, null, null, null, false);
  insert into everything (note) values (null), ('NULL'), (E'\\\\.'), (E'\\\\N'), ('=1+1'), (' x '),
    ('日本 😀 ' || chr(1) || chr(2) || chr(127)), (repeat('long "text", ', ${TIMES}));
  insert into everything (number) values (1.7976931348623157e308), (0.1);
  insert into "Odd ""name"", with / and %" values (E'a\\nb', '"', 1, 2, 3), (null, '', null, null, null);
  insert into "Loans" values (1); insert into loans values (2), (3); insert into con values (4);
  insert into one values (null), (''), (E'\\\\.'), ('x');
  insert into nothing default values; insert into nothing default values;
  insert into base values (1); insert into heir values (2, 3);
  insert into events values (1, '2026-02-02'), (2, '2030-01-01');
  insert into computed default values;
  reset search_path;`

/** What a table of the tenant has, and what it would have if the file were read into it. */
async function bothWays(schema: string, table: ExportedTable, file: string): Promise<unknown> {
  const client = await database.admin.connect()
  try {
    await client.query(`begin; select set_config('search_path', '${schema}', true)`)
    const name = `"${table.name.replaceAll('"', '""')}"`
    const only = table.name === 'events' ? name : `only ${name}`
    await client.query(
      `create temp table back on commit drop as select * from ${only} with no data`,
    )
    const copy = client.query(
      copyFrom(`copy pg_temp.back from stdin with (format csv, header match)`),
    )
    await pipeline(Readable.from([await readFile(file)]), copy)
    const { rows } = await client.query(`select
      (select array_agg(t::text order by t::text) from ${only} t) as before,
      (select array_agg(t::text order by t::text) from pg_temp.back t) as after`)
    return rows[0]
  } finally {
    await client.query('rollback')
    client.release()
  }
}

describe('tenants.export', () => {
  it('writes CSV from which COPY makes every value again', async () => {
    const { router, prefix } = await setUp(AWKWARD, AWKWARD_FILL)
    const target = folder.file('csv')
    const report = await router.tenants.export('acme', target, { format: 'csv' })
    const { tables } = await contentsOf(target)
    expect(tables.map(({ name, rows }) => [name, rows])).toEqual([
      ['Loans', 1],
      ['Odd "name", with / and %', 2],
      ['base', 1],
      ['computed', 1],
      ['con', 1],
      ['empty', 0],
      ['events', 2],
      ['everything', 12],
      ['heir', 1],
      ['loans', 2],
      ['nothing', 2],
      ['one', 4],
    ])
    // A table without columns has nothing that could be read back.
    for (const table of tables.filter(({ name }) => name !== 'nothing')) {
      const { before, after } = (await bothWays(
        `${prefix}acme`,
        table,
        join(target, table.file),
      )) as { before: string[] | null; after: string[] | null }
      expect(after, table.name).toEqual(before)
    }
    expect(report).toEqual({
      tenant: 'acme',
      schema: `${prefix}acme`,
      folder: target,
      tables: 12,
      rows: 29,
      bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    })
  })

  it('tells NULL from an empty text in CSV', async () => {
    const { router } = await setUp(AWKWARD, AWKWARD_FILL)
    const target = folder.file('csv')
    await router.tenants.export('acme', target, { format: 'csv' })
    const file = 'Odd %22name%22, with %2F and %25.csv'
    expect(await readFile(join(target, file), 'utf8')).toBe(
      '"a,b","say ""hi""","line\nend",everything,line\n"a\nb","""",1,2,3\n,"",,,\n',
    )
    expect(await readFile(join(target, 'empty.csv'), 'utf8')).toBe('id,note\n')
  })

  it('writes NDJSON whose lines are the rows', async () => {
    const { router } = await setUp(AWKWARD, AWKWARD_FILL)
    const target = folder.file('ndjson')
    await router.tenants.export('acme', target, { format: 'ndjson' })
    const [first, second, ...more] = await linesIn(target, 'everything')
    expect(first).toMatchObject({
      id: 1,
      note: '"quoted", with\nlines\r\nand \\ and \ttab',
      state: 'it\'s, "paid"',
      at: 'infinity',
      on_day: '-infinity',
      number: 'NaN',
      exact: 'NaN',
      bytes: '\\xdeadbeef',
      doc: { a: [1, null, 'b\nc'] },
      plain: { b: 2 },
      words: [null, '', 'a,b'],
      wide: '1 mon -2 days +03:04:05.678',
      span: '[1,5)',
      about: 'loans',
      home: { street: 'Main, "St"', number: 3 },
      amount: 12.34,
      bits: '101',
      twice: 'NaN',
      yes: true,
    })
    expect(second).toMatchObject({
      note: '',
      at: '2026-03-29T01:30:00+00:00',
      number: '-Infinity',
      bytes: '\\x',
      doc: null,
      words: [],
    })
    expect(more.map(({ note }) => note)).toEqual([
      null,
      'NULL',
      '\\.',
      '\\N',
      '=1+1',
      ' x ',
      '日本 😀 \u0001\u0002\u007F',
      'long "text", '.repeat(TIMES),
      null,
      null,
    ])
    expect(more.slice(-2).map(({ number }) => number)).toEqual([1.7976931348623157e308, 0.1])
    expect(await linesIn(target, 'Odd "name", with / and %')).toEqual([
      { 'a,b': 'a\nb', 'say "hi"': '"', 'line\nend': 1, everything: 2, line: 3 },
      { 'a,b': null, 'say "hi"': '', 'line\nend': null, everything: null, line: null },
    ])
    expect(await linesIn(target, 'nothing')).toEqual([{}, {}])
    expect(await linesIn(target, 'empty')).toEqual([])
    expect((await linesIn(target, 'events')).map(({ id }) => id)).toEqual([1, 2])
    expect(await linesIn(target, 'base')).toEqual([{ id: 1 }])
    expect(await linesIn(target, 'heir')).toEqual([{ id: 2, more: 3 }])
    expect(await linesIn(target, 'Loans')).toEqual([{ id: 1 }])
    expect(await linesIn(target, 'loans')).toEqual([{ id: 2 }, { id: 3 }])
  })

  it('keeps all digits of numbers in NDJSON', async () => {
    const { router } = await setUp(AWKWARD, AWKWARD_FILL)
    const target = folder.file('ndjson')
    await router.tenants.export('acme', target, { format: 'ndjson' })
    const text = await readFile(join(target, 'everything.ndjson'), 'utf8')
    expect(text).toContain('"exact":12345678901234567890.123456789,')
  })

  it('says in tenant.json what is in the folder and whose it is', async () => {
    const { router, prefix } = await setUp(AWKWARD, AWKWARD_FILL)
    const target = folder.file('csv')
    await router.tenants.export('acme', target, { format: 'csv' })
    const { tables, tenant, domains, at } = await contentsOf(target)
    const { createdAt, ...row } = await router.tenants.get('acme')
    expect(tenant).toEqual({ ...row, createdAt: createdAt.toISOString() })
    expect(domains).toEqual([
      {
        host: `${prefix.replace('_', '')}acme.example.com`,
        path: '',
        primary: true,
        verified: true,
      },
    ])
    expect(new Date(at).toISOString()).toBe(at)
    const names = [...tables.map(({ file }) => file), 'tenant.json']
    expect((await readdir(target)).toSorted()).toEqual(names.toSorted())
    for (const { file, sha256, bytes } of tables) {
      const written = await readFile(join(target, file))
      expect([bytes, sha256]).toEqual([
        written.length,
        createHash('sha256').update(written).digest('hex'),
      ])
    }
    const columns = tables.find(({ name }) => name === 'everything')?.columns ?? []
    expect(columns).toEqual(
      expect.arrayContaining([
        { name: 'id', type: 'bigint', generated: false },
        { name: 'state', type: 'state', generated: false },
        { name: 'words', type: 'text[]', generated: false },
        { name: 'bits', type: 'bit(3)', generated: false },
        { name: 'twice', type: 'numeric', generated: true },
      ]),
    )
    expect(columns.map(({ name }) => name)).not.toContain('dropped')
  })

  it('holds one moment under concurrent writes', async () => {
    const { router, prefix } = await setUp(
      LOANS,
      `insert into NAME.loans values (1, 100000);
       insert into NAME.history select repeat('x', 50) from generate_series(1, 200000)`,
    )
    const stop = new AbortController()
    let moves = 0
    // The sum over both tables is always the same.
    const moving = (async (): Promise<void> => {
      for (; !stop.signal.aborted; moves += 1) {
        await database.admin.query(`with taken as (
            update ${prefix}acme.loans set amount = amount - 1 returning 1 as amount)
          insert into ${prefix}acme.fees (amount) select amount from taken`)
      }
    })()
    const movesAt = new Map<string, number>()
    const target = folder.file('moment')
    await router.tenants.export('acme', target, {
      format: 'ndjson',
      onEvent: ({ kind, table }) => kind === 'table' && movesAt.set(table, moves),
    })
    stop.abort()
    await moving
    expect(movesAt.get('loans')).toBeGreaterThan(movesAt.get('fees') ?? 0)
    const amounts = [...(await linesIn(target, 'fees')), ...(await linesIn(target, 'loans'))]
    expect(amounts.reduce((sum, { amount }) => sum + Number(amount), 0)).toBe(100_000)
  })

  it('tells how far it is, and how many rows there were', async () => {
    const { router } = await setUp(LOANS, LARGE)
    const events: RowEvent[] = []
    const report = await router.tenants.export('acme', folder.file('large'), {
      format: 'csv',
      onEvent: (event) => events.push(event),
    })
    const bytes = 'note\n'.length + 40_000 * 1001
    expect(events).toEqual([
      { kind: 'table', table: 'fees', rows: 0, bytes: 'id,amount\n'.length },
      { kind: 'rows', table: 'history', bytes: expect.any(Number) as number },
      { kind: 'rows', table: 'history', bytes: expect.any(Number) as number },
      { kind: 'table', table: 'history', rows: 40_000, bytes },
      { kind: 'table', table: 'loans', rows: 0, bytes: 'id,amount\n'.length },
    ])
    expect(report).toMatchObject({ tables: 3, rows: 40_000 })
  })

  it('exports a schema that is not what its migrations make, and suspended and deleted tenants', async () => {
    const { router, prefix } = await setUp(LOANS, 'insert into NAME.loans values (1, 2)')
    await database.admin.query(`create table ${prefix}acme.by_hand (id int)`)
    for (const [change, status] of [
      ['suspend', 'suspended'],
      ['delete', 'deleted'],
    ] as const) {
      await router.tenants[change]('acme')
      const target = folder.file(status)
      await router.tenants.export('acme', target, { format: 'csv' })
      const { tables, tenant } = await contentsOf(target)
      expect(tables.map(({ name }) => name)).toEqual(['by_hand', 'fees', 'history', 'loans'])
      expect(tenant).toMatchObject({ status })
    }
  })

  it('exports tenants that another tool migrates, with the books of that tool', async () => {
    const fleet = await openFleet(database, migrations, {})
    const { schemas } = fleet
    const bridge = {
      kind: 'bridge' as const,
      origin: 'a tool',
      up: async ({ client }: { client: { query(text: string): Promise<unknown> } }) => {
        await client.query('create table migrations (id int, name text, hash text)')
        await client.query('create table loans (id int); insert into loans values (7)')
        return ['one']
      },
      pending: () => Promise.resolve([]),
    }
    const tenants = { ...schemas.tenants, migrations: bridge }
    const router = new SchemaRouter({ pool: fleet.pool, schemas: { ...schemas, tenants } })
    await router.tenants.create({ slug: 'acme' })
    const target = folder.file('bridged')
    await router.tenants.export('acme', target, { format: 'ndjson' })
    expect(await linesIn(target, 'loans')).toEqual([{ id: 7 }])
    expect((await contentsOf(target)).tables.map(({ name }) => name)).toEqual([
      'loans',
      'migrations',
    ])
    const without = folder.file('bridged')
    await router.tenants.export('acme', without, { format: 'csv', except: ['migrations'] })
    expect((await readdir(without)).toSorted()).toEqual(['loans.csv', 'tenant.json'])
  })

  it('has all rows of a table whose policies hold for its owner, or fails', async () => {
    const { router, prefix, schemas } = await setUp(LOANS, 'insert into NAME.loans values (1, 2)')
    const role = `${prefix}owner`
    await database.admin.query(`
      create role ${role};
      grant usage on schema shared_${prefix}, ${prefix}acme to ${role};
      grant select on all tables in schema shared_${prefix}, ${prefix}acme to ${role};
      grant update on ${prefix}acme.migrations to ${role};
      alter table ${prefix}acme.loans owner to ${role};
      alter table ${prefix}acme.loans enable row level security, force row level security;
      create policy mine on ${prefix}acme.loans using (false);`)
    const pool = database.pool({ options: `-c role=${role}` })
    const limited = new SchemaRouter({ pool, schemas })
    const target = folder.file('hidden')
    const failing = limited.tenants.export('acme', target, { format: 'csv' })
    await expect(failing).rejects.toMatchObject({
      message: expect.stringContaining('row-level security') as string,
    })
    expect(await leftOf(target)).toEqual([])
    await router.tenants.export('acme', target, { format: 'csv' })
    expect(await readFile(join(target, 'loans.csv'), 'utf8')).toBe('id,amount\n1,2\n')
    await database.admin.query(`drop owned by ${role} cascade; drop role ${role}`)
  })

  it('does not take a table for empty that was truncated after the snapshot', async () => {
    const { router, prefix } = await setUp(LOANS, 'insert into NAME.loans values (1, 2)')
    const target = folder.file('truncated')
    const keeper = await database.admin.connect()
    await keeper.query(`begin; truncate ${prefix}acme.loans`)
    const exporting = router.tenants.export('acme', target, { format: 'csv' })
    const failing = failureOf(exporting)
    await expect
      .poll(async () => {
        const { rows } = await database.admin.query(
          `select from pg_locks where relation = '${prefix}acme.loans'::regclass and not granted`,
        )
        return rows.length
      })
      .toBe(1)
    await keeper.query('commit')
    keeper.release()
    expect(await failing).toMatchObject({ code: 'TENANT_BUSY' })
    expect(await leftOf(target)).toEqual([])
    await router.tenants.export('acme', target, { format: 'csv' })
    expect(await readFile(join(target, 'loans.csv'), 'utf8')).toBe('id,amount\n')
  })
})

describe('tenants.export', () => {
  it.each([
    ['nobody', 'TENANT_NOT_FOUND'],
    ['ACME', 'NAME_INVALID'],
  ])('refuses %s', async (slug, code) => {
    const { router } = await setUp()
    const target = folder.file('no')
    await expect(router.tenants.export(slug, target, { format: 'csv' })).rejects.toMatchObject({
      code,
    })
    expect(await leftOf(target)).toEqual([])
  })

  it('refuses what is no option and no target', async () => {
    const { router } = await setUp()
    const { tenants } = router
    const format = 'csv' as const
    const refused: readonly (readonly [string, object])[] = [
      ['formt', { formt: 'csv' }],
      ['format', {}],
      ['format', { format: 'xlsx' }],
      ['except', { format, except: 'loans' }],
      ['except', { format, except: ['loan'] }],
      ['except', { format, except: ['migrations'] }],
      ['lockTimeout', { format, lockTimeout: 0 }],
    ]
    for (const [option, options] of refused) {
      const target = folder.file('no')
      const given = options as { format: ExportFormat }
      await expect(tenants.export('acme', target, given)).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        option,
      })
      expect(await leftOf(target)).toEqual([])
    }
    const misspelt = tenants.export('acme', folder.file('no'), { format, except: ['loan'] })
    await expect(misspelt).rejects.toThrow(
      '"loan", which is no table of the tenant. Choose from fees, history, loans.',
    )
    // @ts-expect-error without options there is no format
    await expect(tenants.export('acme', 'x')).rejects.toMatchObject({ option: 'format' })
    // @ts-expect-error a number is no target
    await expect(tenants.export('acme', 7, { format })).rejects.toMatchObject({ option: 'target' })
    await expect(tenants.export('acme', '', { format })).rejects.toMatchObject({ option: 'target' })
  })

  it('refuses a target that is taken, and leaves it as it is', async () => {
    const { router } = await setUp()
    const target = folder.file('taken')
    await mkdir(target)
    await writeFile(join(target, 'mine.txt'), 'mine')
    const exporting = (path: string): Promise<unknown> =>
      router.tenants.export('acme', path, { format: 'csv' })
    await expect(exporting(target)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'target',
      message: expect.stringContaining('is not empty') as string,
    })
    await expect(exporting(join(target, 'mine.txt'))).rejects.toMatchObject({
      message: expect.stringContaining('is no folder') as string,
    })
    expect(await readdir(target)).toEqual(['mine.txt'])
    expect(await leftOf(target)).toHaveLength(1)
  })

  it('takes an empty folder, also through a link, and leaves its rights as they were', async () => {
    const { router } = await setUp()
    const target = folder.file('empty')
    await mkdir(target, { mode: 0o700 })
    const link = folder.file('link')
    await symlink(target, link)
    const { folder: written } = await router.tenants.export('acme', link, { format: 'csv' })
    expect(written).toBe(target)
    expect((await stat(target)).mode & 0o777).toBe(0o700)
    expect(await readdir(link)).toContain('tenant.json')
  })

  it('leaves nothing where the target cannot be written', async () => {
    const { router } = await setUp()
    const missing = join(folder.file('missing'), 'below')
    const exporting = (path: string): Promise<unknown> =>
      router.tenants.export('acme', path, { format: 'csv' })
    await expect(exporting(missing)).rejects.toMatchObject({ code: 'ENOENT' })
    const file = folder.file('file')
    await writeFile(file, '')
    await expect(exporting(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it.skipIf(!existsSync('/dev/full'))('leaves nothing when the disk is full', async () => {
    const { router } = await setUp(
      LOANS,
      'insert into NAME.loans select n, n from generate_series(1, 100000) n',
    )
    const target = folder.file('full')
    const exporting = router.tenants.export('acme', target, {
      format: 'csv',
      // The file of the next table is on a device that is always full.
      onEvent: ({ table }) => {
        if (table !== 'fees') return
        const part = readdirSync(dirname(target)).find((name) =>
          name.startsWith(`${basename(target)}.part-`),
        )
        symlinkSync('/dev/full', join(dirname(target), part ?? '', 'loans.csv'))
      },
    })
    await expect(exporting).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await leftOf(target)).toEqual([])
    // The client is usable as before.
    expect(await router.tenants.export('acme', target, { format: 'csv' })).toMatchObject({
      rows: 100_000,
    })
  })

  it('stops for a signal, before it begins and in the middle of a table', async () => {
    const { router } = await setUp(LOANS, LARGE)
    const target = folder.file('stopped')
    const stop = new AbortController()
    const stopped = router.tenants.export('acme', target, {
      format: 'csv',
      signal: stop.signal,
      onEvent: ({ kind }) => {
        if (kind === 'rows') stop.abort(new Error('enough'))
      },
    })
    await expect(stopped).rejects.toThrow('enough')
    expect(await leftOf(target)).toEqual([])
    const again = router.tenants.export('acme', target, { format: 'csv', signal: stop.signal })
    await expect(again).rejects.toThrow('enough')
    expect(await leftOf(target)).toEqual([])
    const failing = router.tenants.export('acme', target, {
      format: 'csv',
      onEvent: () => {
        throw new Error('listener')
      },
    })
    await expect(failing).rejects.toThrow('listener')
    expect(await leftOf(target)).toEqual([])
    expect(await router.tenants.export('acme', target, { format: 'csv' })).toMatchObject({
      rows: 40_000,
    })
  })

  it('stops for a signal while it waits for a lock, and gives up in time', async () => {
    const { router, prefix } = await setUp()
    const target = folder.file('waiting')
    const gate = await shutGate(database, `lock table ${prefix}acme.loans`)
    const stop = new AbortController()
    const stopped = router.tenants.export('acme', target, { format: 'csv', signal: stop.signal })
    const failing = failureOf(stopped)
    await gate.reached()
    stop.abort(new Error('enough'))
    expect(await failing).toMatchObject({ message: 'enough' })
    const impatient = router.tenants.export('acme', target, { format: 'csv', lockTimeout: 50 })
    await expect(impatient).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    await gate.open()
    expect(await leftOf(target)).toEqual([])
  })

  it('waits for a migration of the tenant, and gives up in time', async () => {
    const { router, prefix } = await setUp()
    const gate = await shutGate(
      database,
      `lock table ${prefix}acme.migrations in row exclusive mode`,
    )
    const target = folder.file('migrated')
    const waiting = router.tenants.export('acme', target, { format: 'csv', lockTimeout: 50 })
    await expect(waiting).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    await gate.open()
    expect(await leftOf(target)).toEqual([])
  })

  it('refuses a tenant whose schema is not whole', async () => {
    const fleet = await openFleet(
      database,
      migrations,
      { tenants: LOANS },
      { autoCreateSchema: false },
    )
    await fleet.router.migrations.up()
    await fleet.router.tenants.create({ slug: 'acme' })
    const exporting = fleet.router.tenants.export('acme', folder.file('no'), { format: 'csv' })
    await expect(exporting).rejects.toMatchObject({ code: 'TENANT_STATUS' })
    const { router, prefix } = await setUp()
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    const gone = router.tenants.export('acme', folder.file('no'), { format: 'csv' })
    await expect(gone).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
  })
})
