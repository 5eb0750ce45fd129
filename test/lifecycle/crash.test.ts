import { SchemaRouter, isTenantryError } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import {
  type Gate,
  type HoldPoint,
  GATE,
  holdAt,
  killAt,
  shutGate,
  startChild,
  stateOf,
  wordOf,
} from './crash.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

beforeAll(buildBinary)

const LOANS: MigrationFiles = {
  '1_loans.sql': 'create table loans (id serial primary key); insert into loans default values',
  '2_fees.sql': 'create table fees (id int)',
}
/** So many tables that one transaction may not drop them all. */
const MANY: MigrationFiles = {
  '1_many.sql': Array.from(
    { length: 60 },
    (_, at) => `create table t${at} (id serial, n text);`,
  ).join('\n'),
}

/** What is done to a tenant, and what has to be done before. */
interface Act {
  readonly method: string
  readonly args: (prefix: string) => readonly unknown[]
  readonly deleted?: true
  /** What an audit says before and after it. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}

const NEW = { slug: 'beta', domains: ['beta.example.com'] }
const DELETED = ['tenant-deleted']

const ACTS: Readonly<Record<string, Act>> = {
  create: { method: 'create', args: () => [NEW] },
  clone: { method: 'clone', args: () => ['acme', NEW] },
  rename: {
    method: 'rename',
    args: (prefix) => ['acme', { slug: 'apex', schema: `${prefix}apex` }],
  },
  delete: { method: 'delete', args: () => ['acme'], after: DELETED },
  undelete: { method: 'undelete', args: () => ['acme'], deleted: true, before: DELETED },
  purge: {
    method: 'purge',
    args: () => ['acme', { confirm: 'acme' }],
    deleted: true,
    before: DELETED,
  },
}
const POINTS: readonly HoldPoint[] = ['row', 'commit']
const CASES = Object.keys(ACTS).flatMap((name) => POINTS.map((point) => [name, point] as const))

function actOf(name: string): Act {
  const act = ACTS[name]
  if (act === undefined) throw new Error(`There is no act ${name}.`)
  return act
}

async function setUp({ deleted }: Pick<Act, 'deleted'> = {}, tenants = LOANS): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants })
  const { router } = fleet
  await router.migrations.up()
  await router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
  if (deleted) await router.tenants.delete('acme')
  return fleet
}

function perform({ router, prefix }: Fleet, { method, args }: Act): Promise<unknown> {
  const work: unknown = Reflect.get(router.tenants, method)
  if (typeof work !== 'function') throw new Error(`There is no tenants.${method}.`)
  const answer: unknown = Reflect.apply(work, router.tenants, [...args(prefix)])
  return Promise.resolve(answer)
}

const state = (fleet: Fleet): Promise<unknown> => stateOf(database, fleet)

/** The kinds of what an audit by a process that has just started finds in the fleet. */
async function audited(fleet: Fleet): Promise<readonly string[]> {
  const { findings } = await fleet.another().tenants.audit()
  const own = findings.filter(({ schema = '' }) => schema.startsWith(fleet.prefix))
  return own.map(({ kind }) => kind)
}

/** The state of a fleet in which nobody has disturbed the act. */
async function undisturbed(act: Act): Promise<unknown> {
  const fleet = await setUp(act)
  await perform(fleet, act)
  return state(fleet)
}

/** Opens the fleet again, as the next start does, and does the act to the end. */
async function repaired(fleet: Fleet, act: Act): Promise<unknown> {
  await perform({ ...fleet, router: fleet.another() }, act)
  return state(fleet)
}

const unhold = ({ shared }: Fleet): Promise<unknown> =>
  database.admin.query(`drop function ${shared}.hold cascade`)

describe('a process that is killed in the middle of tenants', () => {
  it.each(CASES)('.%s at its %s leaves all or nothing', async (name, point) => {
    const act = actOf(name)
    const done = await undisturbed(act)
    const fleet = await setUp(act)
    const before = await state(fleet)
    await holdAt(database, fleet, { point })
    const gate = await shutGate(database)
    const child = startChild(database, fleet, { method: act.method, args: act.args(fleet.prefix) })
    await killAt(gate, child, database)
    await unhold(fleet)

    // What makes a schema checks what is deferred before its end: it comes to the gate before its commit.
    const isWhole = point === 'commit' && name !== 'clone' && name !== 'create'
    expect(await state(fleet)).toEqual(isWhole ? done : before)
    expect(await audited(fleet)).toEqual((isWhole ? act.after : act.before) ?? [])
    if (isWhole) return
    expect(await repaired(fleet, act)).toEqual(done)
    expect(await audited(fleet)).toEqual(act.after ?? [])
  })

  it('.create, while a migration runs, leaves nothing', async () => {
    const fleet = await setUp({}, { '1_gate.sql': 'create table loans ()' })
    const files = {
      '1_gate.sql': 'create table loans ()',
      '2_wait.sql': `table ${fleet.shared}.gate`,
    }
    const schemas = await migrations.fleet(fleet.prefix, { tenants: files })
    await database.admin.query(`create table ${fleet.shared}.gate ()`)
    const before = await state(fleet)
    const gate = await shutGate(database, `lock table ${fleet.shared}.gate`)
    const child = startChild(database, { ...fleet, schemas }, { method: 'create', args: [NEW] })
    await killAt(gate, child, database)
    expect(await state(fleet)).toEqual(before)
    expect(await audited(fleet)).toEqual([])
    await fleet.router.tenants.create(NEW)
    expect(await audited(fleet)).toEqual([])
  })

  it('.createMany leaves each tenant whole or not there', async () => {
    const fleet = await setUp()
    const { router } = fleet
    await holdAt(database, fleet, { point: 'row', slug: 'c' })
    const gate = await shutGate(database)
    const list = ['b', 'c', 'd'].map((slug) => ({ slug }))
    const args = [list, { concurrency: 1 }]
    await killAt(gate, startChild(database, fleet, { method: 'createMany', args }), database)
    await unhold(fleet)
    expect((await router.tenants.list()).map(({ slug }) => slug)).toEqual(['acme', 'b'])
    expect(await audited(fleet)).toEqual([])
    await router.tenants.createMany(list.slice(1))
    expect((await router.migrations.verify()).findings).toEqual([])
    expect(await audited(fleet)).toEqual([])
  })

  it('.create by another tool leaves a schema that says what it is', async () => {
    const { fleet, router } = await withTool()
    const gate = await shutGate(database)
    const toolSql = `create table loans (); select pg_advisory_lock(${GATE}); create table fees ()`
    const child = startChild(database, fleet, { method: 'create', args: [NEW], toolSql })
    await killAt(gate, child, database)
    expect(await audited(fleet)).toEqual(['create-unfinished'])
    await expect(router.tenants.create(NEW)).rejects.toMatchObject({ code: 'SCHEMA_EXISTS' })
    const { findings } = await router.tenants.audit()
    const repair = findings.find(({ schema }) => schema === `${fleet.prefix}beta`)?.repair ?? ''
    const [, sql = ''] = /^Run "(.*)", and create/.exec(repair) ?? []
    await database.admin.query(sql)
    expect(await audited(fleet)).toEqual([])
    await router.tenants.create(NEW)
    expect(await audited(fleet)).toEqual([])
  })

  it('.purge in several transactions leaves a purge that the next one finishes', async () => {
    const { fleet, gate } = await largePurge()
    const args = ['acme', { confirm: 'acme' }]
    await killAt(gate, startChild(database, fleet, { method: 'purge', args }), database)
    await expectHalfPurged(fleet)
  })
})

describe('a backend that is terminated in the middle of tenants', () => {
  it.each(CASES)('.%s at its %s changes nothing, and the next call works', async (name, point) => {
    const act = actOf(name)
    const done = await undisturbed(act)
    const fleet = await setUp(act)
    const before = await state(fleet)
    await holdAt(database, fleet, { point })
    const gate = await shutGate(database)
    const failing = failureOf(perform(fleet, act))
    await terminate(gate)
    expect(await failing).toMatchObject(TERMINATED)
    await gate.open()
    await unhold(fleet)
    expect(await state(fleet)).toEqual(before)
    expect(await audited(fleet)).toEqual(act.before ?? [])
    await perform(fleet, act)
    expect(await state(fleet)).toEqual(done)
  })

  it('.createMany fails that tenant only', async () => {
    const fleet = await setUp()
    const { router } = fleet
    await holdAt(database, fleet, { point: 'row', slug: 'c' })
    const gate = await shutGate(database)
    const list = ['b', 'c', 'd'].map((slug) => ({ slug }))
    const failed = failureOf(router.tenants.createMany(list, { concurrency: 1 }))
    await terminate(gate)
    const error = await failed
    await gate.open()
    await unhold(fleet)
    expect(isTenantryError(error, 'RUN_FAILED') && error.report).toMatchObject({
      outcomes: [
        { tenant: 'b', status: 'done' },
        { tenant: 'c', status: 'failed' },
        { tenant: 'd', status: 'done' },
      ],
    })
    expect(await audited(fleet)).toEqual([])
    await router.tenants.create({ slug: 'c' })
    expect(await audited(fleet)).toEqual([])
  })

  it('.create by another tool leaves nothing', async () => {
    const { fleet, router } = await withTool(`select pg_advisory_lock(${GATE})`)
    const gate = await shutGate(database)
    const failing = failureOf(router.tenants.create(NEW))
    await terminate(gate)
    expect(await failing).toMatchObject({ code: 'MIGRATION_FAILED' })
    await gate.open()
    expect(await fleet.schemaExists(`${fleet.prefix}beta`)).toBe(false)
    expect(await audited(fleet)).toEqual([])
  })

  it('.create by another tool, at the commit that adds the row, leaves nothing', async () => {
    const { fleet, router } = await withTool()
    await holdAt(database, fleet, { point: 'commit' })
    const gate = await shutGate(database)
    const failing = failureOf(router.tenants.create(NEW))
    await terminate(gate)
    expect(await failing).toMatchObject(TERMINATED)
    await gate.open()
    expect(await fleet.schemaExists(`${fleet.prefix}beta`)).toBe(false)
    expect(await audited(fleet)).toEqual([])
  })

  it('.purge in several transactions leaves a purge that the next one finishes', async () => {
    const { fleet, gate } = await largePurge()
    const purging = fleet.router.tenants.purge('acme', { confirm: 'acme' })
    const failing = failureOf(purging)
    await terminate(gate)
    expect(await failing).toMatchObject(TERMINATED)
    await gate.open()
    await expectHalfPurged(fleet)
  })
})

describe('two processes that create the same tenant', () => {
  it('get one tenant and one TENANT_EXISTS, and leave nothing half made', async () => {
    const fleet = await setUp()
    await holdAt(database, fleet, { point: 'row' })
    const gate = await shutGate(database)
    const act = { method: 'create', args: [NEW] }
    const words = [1, 2].map(() => wordOf(startChild(database, fleet, act)))
    await gate.reached(2)
    await gate.open()
    expect((await Promise.all(words)).toSorted()).toEqual(['TENANT_EXISTS', 'done'])
    await unhold(fleet)
    expect(await state(fleet)).toEqual(await undisturbed(actOf('create')))
    expect(await audited(fleet)).toEqual([])
  })
})

/** What somebody who has lost the connection hears. */
const TERMINATED = { message: expect.stringContaining('terminat') as unknown }

/** What a call fails with, which is waited for later. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'It did not fail.',
    (error: unknown) => error,
  )

/** Ends the backend that waits at the gate. */
async function terminate(gate: Gate): Promise<void> {
  const pids = await gate.reached()
  await database.admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [pids])
}

/** A fleet whose tenants another tool migrates. */
async function withTool(sql = ''): Promise<{ fleet: Fleet; router: SchemaRouter }> {
  const fleet = await openFleet(database, migrations, {})
  const tenants = {
    ...fleet.schemas.tenants,
    migrations: {
      kind: 'bridge' as const,
      origin: 'a tool',
      up: async ({ client }: { client: { query(text: string): Promise<unknown> } }) => {
        await client.query(sql)
        return []
      },
      pending: () => Promise.resolve([]),
    },
  }
  const router = new SchemaRouter({ pool: fleet.pool, schemas: { ...fleet.schemas, tenants } })
  await router.tenants.create({ slug: 'first' }).catch(() => {})
  return { fleet, router }
}

/** A purge that cannot be done at once, with a reader of the table that is dropped last. */
async function largePurge(): Promise<{ fleet: Fleet; gate: Gate }> {
  const fleet = await setUp({ deleted: true }, MANY)
  const gate = await shutGate(database, `lock table ${fleet.prefix}acme.t0 in access share mode`)
  return { fleet, gate }
}

async function expectHalfPurged(fleet: Fleet): Promise<void> {
  const { router, prefix, one } = fleet
  const left = await one(`select count(*)::int from pg_tables where schemaname = '${prefix}acme'`)
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThan(61)
  expect(await audited(fleet)).toEqual(['purge-unfinished'])
  await expect(router.tenants.undelete('acme')).rejects.toMatchObject({ code: 'TENANT_STATUS' })
  await router.tenants.purge('acme', { confirm: 'acme' })
  expect(await fleet.schemaExists(`${prefix}acme`)).toBe(false)
  expect(await audited(fleet)).toEqual([])
}
