import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { SchemaRouter, type SchemasOptions } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { AWKWARD_FILL, AWKWARD_MORE } from './awkward-rows.js'
import { type TestDatabase, useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { contentsOf } from './archive-fleet.js'
import { GATE, NAME, killAt, shutGate } from './crash.js'

const here = useDatabase()
const there = useDatabase()
const migrations = useMigrationFolders()
const PROGRAM = fileURLToPath(new URL('../support/fixtures/tenant-move.mjs', import.meta.url))

beforeAll(buildBinary)

const LOANS: MigrationFiles = {
  '1_loans.sql': `
    create table lenders (id int primary key, boss int references lenders);
    create table loans (id int primary key generated always as identity, lender int references lenders,
      amount int not null);
    create table notes (id int primary key, body text);
    insert into lenders values (1, null), (2, 1);`,
}

interface Ends {
  readonly from: SchemaRouter
  readonly to: SchemaRouter
  readonly prefix: string
  readonly schemas: SchemasOptions
}

/** A tenant in one database, and a router on another one. */
async function setUp(tenants = LOANS, fill = ''): Promise<Ends> {
  const prefix = here.prefix()
  const schemas = await migrations.fleet(prefix, { tenants })
  const [from, to] = [here, there].map(
    (database) => new SchemaRouter({ pool: database.pool({ max: 4 }), schemas }),
  )
  if (from === undefined || to === undefined) throw new Error('There are two databases.')
  for (const router of [from, to]) await router.migrations.up()
  await from.tenants.create({
    slug: 'acme',
    name: 'Acme Lending',
    metadata: { plan: 'gold' },
    domains: ['acme.example.com', 'acme.example.org/loans'],
  })
  await here.admin.query(fill.replaceAll('NAME', `${prefix}acme`))
  return { from, to, prefix, schemas }
}

const insertLoan = (router: SchemaRouter, amount: number): Promise<unknown> =>
  router.withTenant('acme', (db) => db.query('insert into loans (amount) values ($1)', [amount]))

async function amounts(router: SchemaRouter): Promise<readonly number[]> {
  const { rows } = await router.withTenant('acme', (db) =>
    db.query<{ amount: number }>('select amount from loans order by amount'),
  )
  return rows.map(({ amount }) => amount)
}

async function schemasIn({ admin }: TestDatabase, prefix: string): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `select nspname as name from pg_namespace where starts_with(nspname, $1) order by 1`,
    [prefix],
  )
  return rows.map(({ name }) => name.slice(prefix.length))
}

describe('tenants.move', () => {
  it('brings row, domains, structure and rows to the other database', async () => {
    const { from, to, prefix } = await setUp(AWKWARD_MORE, AWKWARD_FILL)
    const contents = await contentsOf(here, `${prefix}acme`)
    const domains = await from.tenants.domains.list('acme')
    const { tenant, source, ...report } = await from.tenants.move('acme', { to })
    expect(report).toMatchObject({ recopied: [], stoppedMs: expect.any(Number) as number })
    expect(tenant).toMatchObject({
      slug: 'acme',
      name: 'Acme Lending',
      schema: `${prefix}acme`,
      status: 'active',
      metadata: { plan: 'gold' },
    })
    expect(source).toMatchObject({ slug: 'acme', status: 'suspended' })
    expect(source.schema).toMatch(new RegExp(`^${prefix}acme_moved_\\d{14}$`))
    expect(await contentsOf(there, `${prefix}acme`)).toEqual(contents)
    expect(await to.tenants.domains.list('acme')).toEqual(domains)
    expect((await to.migrations.verify()).findings).toEqual([])
    const query = from.withTenant('acme', (db) => db.query('select 1'))
    await expect(query).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
  })

  it('loses nothing of what is written meanwhile', async () => {
    const { from, to, prefix } = await setUp(
      LOANS,
      `insert into NAME.loans (amount) select 0 from generate_series(1, 20000);
       insert into NAME.notes select n, repeat('x', 100) from generate_series(1, 20000) n`,
    )
    const written: number[] = []
    const refused: unknown[] = []
    let next = 0
    const write = async (): Promise<void> => {
      while (refused.length < 3) {
        next += 1
        const amount = next
        await insertLoan(from, amount).then(
          () => written.push(amount),
          (error: unknown) => refused.push(error),
        )
        await from.tenants.update('acme', { name: `after ${amount}` }).catch(() => {})
      }
    }
    const writing = Promise.all([write(), write()])
    const report = await from.tenants.move('acme', { to })
    await writing
    expect(report.recopied).toEqual(['loans'])
    expect(written.length).toBeGreaterThan(0)
    const found = (await amounts(to)).filter((amount) => amount > 0)
    expect(found).toEqual(written.toSorted((a, b) => a - b))
    for (const error of refused) {
      expect(['TENANT_SUSPENDED', 'SCHEMA_MISSING']).toContain(Reflect.get(Object(error), 'code'))
    }
    await insertLoan(to, next + 1)
    expect(await schemasIn(there, prefix)).toEqual(['acme'])
  })

  it('copies tables again together with those that refer to them', async () => {
    const { from, to, prefix } = await setUp(GATED.loans)
    await insertLoan(from, 5)
    const gate = await shutGate(there)
    const moving = from.tenants.move('acme', { to })
    await gate.reached()
    // The first copy has its snapshot by now.
    await here.admin.query(`update ${prefix}acme.lenders set boss = 2 where id = 1`)
    await gate.open()
    const { recopied } = await moving
    expect(recopied).toEqual(['lenders', 'loans'])
    const { rows } = await there.admin.query(`select boss from ${prefix}acme.lenders where id = 1`)
    expect(rows).toEqual([{ boss: 2 }])
  })

  it('serves the tenant from where it was when the other database refuses', async () => {
    const { from, to, prefix } = await setUp()
    await insertLoan(from, 5)
    await there.admin.query(`
      create function refuse_${prefix}() returns trigger language plpgsql as
        $$ begin if new.status = 'active' then raise 'no room'; end if; return new; end $$;
      create trigger refuse before update on shared_${prefix}.tenantry_tenants
        for each row execute function refuse_${prefix}()`)
    await expect(from.tenants.move('acme', { to })).rejects.toThrow('no room')
    expect(await amounts(from)).toEqual([5])
    expect(await from.tenants.get('acme')).toMatchObject({
      status: 'active',
      schema: `${prefix}acme`,
    })
    expect(await schemasIn(here, prefix)).toEqual(['acme'])
    expect(await schemasIn(there, prefix)).toEqual([])
    expect(await to.tenants.find('acme')).toBeUndefined()
  })

  it('waits for open scopes, and gives up in time', async () => {
    const { from, to, prefix } = await setUp()
    const { promise: ended, resolve: end } = promiseOf()
    const { promise: begun, resolve: begin } = promiseOf()
    const open = from.withTenant(
      'acme',
      async (db) => {
        await db.query('insert into loans (amount) values (1)')
        begin()
        await ended
      },
      { transaction: true },
    )
    await begun
    const moving = from.tenants.move('acme', { to, lockTimeout: 300 })
    await expect(moving).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    expect(await schemasIn(there, prefix)).toEqual([])
    end()
    await open
    await from.tenants.move('acme', { to })
    expect(await amounts(to)).toEqual([1])
  })

  it('refuses what it cannot do, and changes nothing', async () => {
    const { from, to, prefix, schemas } = await setUp()
    const same = new SchemaRouter({ pool: here.pool(), schemas })
    const later = { ...schemas, tenants: { prefix, migrations: await laterFolder() } }
    const ahead = new SchemaRouter({ pool: there.pool(), schemas: later })
    const refused = (promise: Promise<unknown>, error: object): Promise<void> =>
      expect(promise).rejects.toMatchObject(error)
    await refused(from.tenants.move('acme', { to: same }), {
      code: 'OPTIONS_INVALID',
      option: 'to',
    })
    // @ts-expect-error No router.
    await refused(from.tenants.move('acme', { to: {} }), { code: 'OPTIONS_INVALID', option: 'to' })
    // @ts-expect-error No such option.
    await refused(from.tenants.move('acme', { to, fast: true }), { code: 'OPTIONS_INVALID' })
    await refused(from.tenants.move('nobody', { to }), { code: 'TENANT_NOT_FOUND' })
    await refused(from.tenants.move('acme', { to: ahead }), { code: 'MOVE_REFUSED' })
    await to.tenants.create({ slug: 'acme' })
    await refused(from.tenants.move('acme', { to }), { code: 'TENANT_EXISTS' })
    expect(await from.tenants.get('acme')).toMatchObject({
      status: 'active',
      schema: `${prefix}acme`,
    })
  })

  it('stops at once by its signal', async () => {
    const { from, to, prefix } = await setUp()
    const stop = new AbortController()
    const onEvent = (): void => stop.abort(new Error('enough'))
    const moving = from.tenants.move('acme', { to, onEvent, signal: stop.signal })
    await expect(moving).rejects.toThrow('enough')
    expect(await from.tenants.get('acme')).toMatchObject({ status: 'active' })
    expect(await schemasIn(there, prefix)).toEqual([])
  })
})

describe('tenants.move once more', () => {
  it('answers with the tenant where the move has ended', async () => {
    const { from, to } = await setUp()
    const first = await from.tenants.move('acme', { to })
    const again = await from.tenants.move('acme', { to })
    expect(again).toMatchObject({ tenant: first.tenant, source: first.source, rows: 0 })
    expect(await amounts(to)).toEqual([])
  })

  it('leaves a suspended tenant suspended, and brings a domain that came meanwhile', async () => {
    const { from, to } = await setUp()
    await from.tenants.suspend('acme')
    let added: Promise<unknown> | undefined
    const onEvent = (): void => {
      added ??= from.tenants.domains.add('acme', 'late.example.com')
    }
    const { tenant } = await from.tenants.move('acme', { to, onEvent })
    await added
    expect(tenant).toMatchObject({ status: 'suspended' })
    const hosts = (await to.tenants.domains.list('acme')).map(({ host }) => host)
    expect(hosts).toContain('late.example.com')
  })

  it.each([
    ['as it was', ''],
    ['anew, where the copy was changed', 'alter table NAME.loans add odd int'],
  ])('goes on where neither database could be told, %s', async (_, change) => {
    const { from, to, prefix } = await setUp()
    await insertLoan(from, 5)
    await there.admin.query(`
      create function refuse_${prefix}() returns trigger language plpgsql as
        $$ begin if old.status = 'suspended' and new.status <> old.status then raise 'no room'; end if; return new; end $$;
      create trigger refuse before update on shared_${prefix}.tenantry_tenants
        for each row execute function refuse_${prefix}()`)
    const failed = from.tenants.move('acme', { to })
    await expect(failed).rejects.toMatchObject({ code: 'MOVE_UNFINISHED', tenant: 'acme' })
    await expect(amounts(from)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await there.admin.query(`drop trigger refuse on shared_${prefix}.tenantry_tenants`)
    await there.admin.query(change.replaceAll('NAME', `${prefix}acme`))
    const { tenant } = await from.tenants.move('acme', { to })
    expect(tenant).toMatchObject({ status: 'active' })
    expect(await amounts(to)).toEqual([5])
    expect((await to.migrations.verify()).findings).toEqual([])
  })
})

describe('tenants.restore with into', () => {
  it('restores in the database of another router, and only there', async () => {
    const { from, to, prefix } = await setUp()
    await insertLoan(from, 5)
    const file = join(await migrations.folder({}), 'acme.tenantry.gz')
    await from.tenants.backup('acme', file)
    const { tenant } = await from.tenants.restore(file, { into: to })
    expect(tenant).toMatchObject({ slug: 'acme', status: 'active', schema: `${prefix}acme` })
    expect(await amounts(to)).toEqual([5])
    await insertLoan(from, 6)
    expect(await amounts(to)).toEqual([5])
    // @ts-expect-error No router.
    const nowhere = from.tenants.restore(file, { into: {} })
    await expect(nowhere).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'into' })
  })
})

describe('tenants.takeBack', () => {
  it('serves a moved tenant again from where it was', async () => {
    const { from, to, prefix } = await setUp()
    await insertLoan(from, 5)
    await from.tenants.move('acme', { to })
    await expect(from.tenants.activate('acme')).rejects.toMatchObject({ code: 'TENANT_STATUS' })
    const { findings } = await from.tenants.audit()
    expect(findings.filter(({ tenant }) => tenant === 'acme')).toMatchObject([
      { kind: 'tenant-moved' },
    ])
    await to.tenants.delete('acme')
    const tenant = await from.tenants.takeBack('acme')
    expect(tenant).toMatchObject({ status: 'active', schema: `${prefix}acme` })
    expect(await amounts(from)).toEqual([5])
    await expect(from.tenants.takeBack('acme')).rejects.toMatchObject({ code: 'TENANT_STATUS' })
  })
})

describe('a process that is killed while it moves a tenant', () => {
  it.each([
    ['at the first copy', 'loans', 'active'],
    ['at the stop', 'stop', 'active'],
    ['at the second copy', 'served', 'suspended'],
  ] as const)('%s leaves it whole, and the next move ends it', async (_, point, status) => {
    const { from, to, prefix, schemas } = await setUp(GATED[point])
    await insertLoan(from, 5)
    const database = point === 'stop' ? here : there
    if (point !== 'loans') {
      await database.admin.query(holdStatus(prefix, point === 'stop' ? 'suspended' : 'active'))
    }
    const gate = await shutGate(database)
    const child = startMove({ schemas })
    await killAt(gate, child, database)
    await untilGone()
    expect(await from.tenants.get('acme')).toMatchObject({ status })
    expect(await to.tenants.find('acme')).not.toMatchObject({ status: 'active' })
    const answer = await amounts(from).catch((error: unknown) => Reflect.get(Object(error), 'code'))
    expect(answer).toEqual(status === 'active' ? [5] : 'TENANT_SUSPENDED')
    const { tenant } = await from.tenants.move('acme', { to })
    expect(tenant).toMatchObject({ status: 'active', schema: `${prefix}acme` })
    expect(await amounts(to)).toEqual([5])
    expect(await schemasIn(there, prefix)).toEqual(['acme'])
  })
})

/** Rows of loans wait at the gate while they come in. */
const GATED: Readonly<Record<'loans' | 'stop' | 'served', MigrationFiles>> = {
  loans: {
    '1_loans.sql': `
      create function waits() returns boolean language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(${GATE}); return true; end $$;
      create table lenders (id int primary key, boss int references lenders);
      create table loans (id int primary key generated always as identity,
        lender int references lenders, amount int check (waits()));
      insert into lenders values (1, null), (2, 1);`,
  },
  stop: LOANS,
  served: LOANS,
}

/** Whoever gives a tenant a status waits at the gate. */
function holdStatus(prefix: string, status: string): string {
  return `
    create function hold_${prefix}() returns trigger language plpgsql as $$ begin
      if new.status = '${status}' and old.status <> new.status then
        perform pg_advisory_xact_lock_shared(${GATE});
      end if;
      return new;
    end $$;
    create trigger hold before update on shared_${prefix}.tenantry_tenants
      for each row execute function hold_${prefix}()`
}

function startMove({ schemas }: Pick<Ends, 'schemas'>): ChildProcessByStdio<null, Readable, null> {
  const [from, to] = [here, there].map(
    ({ url }) => `${url}${url.includes('?') ? '&' : '?'}application_name=${NAME}`,
  )
  const given = JSON.stringify({ from, to, schemas, slug: 'acme' })
  return spawn(process.execPath, [PROGRAM, given], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** The server notices in both databases that the process is gone. */
async function untilGone(): Promise<void> {
  for (;;) {
    const { rows } = await here.admin.query(
      'select from pg_stat_activity where application_name = $1',
      [NAME],
    )
    if (rows.length === 0) return
    await delay(10)
  }
}

async function laterFolder(): Promise<string> {
  return migrations.folder({ ...LOANS, '2_later.sql': 'create table later (id int)' })
}

function promiseOf(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
