import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import type { SpareTask } from '../support/fixtures/spare-process.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const PROGRAM = fileURLToPath(new URL('../support/fixtures/spare-process.ts', import.meta.url))
const GATE = 42
const LOANS = { '1_loans.sql': `create table loans (id int); insert into loans values (1)` }
const GATED = {
  ...LOANS,
  '2_gate.sql': `do $$ begin perform pg_advisory_xact_lock(${GATE}); end $$`,
}

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
  another(): SchemaRouter
  start(task: Partial<SpareTask>): ChildProcess
  schemas(): Promise<ReadonlyMap<number, string>>
}

async function setUp(files: Record<string, string>, spares: number): Promise<Setup> {
  const prefix = database.prefix()
  const folder = await migrations.folder(files)
  const shared = { name: `shared_${prefix}` }
  const another = (): SchemaRouter =>
    new SchemaRouter({
      pool: database.pool(),
      schemas: { shared, tenants: { prefix, migrations: folder } },
      spares,
    })
  const start: Setup['start'] = (task) => {
    const whole: SpareTask = {
      url: database.url,
      prefix,
      migrations: folder,
      spares,
      slugs: [],
      ...task,
    }
    return spawn(process.execPath, ['--import', 'tsx', PROGRAM, JSON.stringify(whole)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
  const schemas: Setup['schemas'] = async () => {
    const { rows } = await database.admin.query<{ id: number; name: string }>(
      `select oid::int as id, nspname as name from pg_namespace where starts_with(nspname, $1)`,
      [prefix],
    )
    return new Map(rows.map(({ id, name }) => [id, name]))
  }
  return { prefix, router: another(), another, start, schemas }
}

const recorded = async (prefix: string): Promise<readonly string[]> => {
  const { rows } = await database.admin.query<{ schema: string }>(
    `select schema from "shared_${prefix}".tenantry_spares order by 1`,
  )
  return rows.map(({ schema }) => schema)
}

/** Holds the lock that the other process stops at, and kills that process there. */
async function killAtGate(start: () => ChildProcess): Promise<void> {
  const gate = await database.admin.connect()
  await gate.query('select pg_advisory_lock($1)', [GATE])
  const child = start()
  const ended = once(child, 'exit')
  const waiting = `select pid from pg_locks where locktype = 'advisory' and not granted
    and objid = ${GATE} and database = (select oid from pg_database where datname = current_database())`
  await expect
    .poll(async () => (await gate.query(waiting)).rows.length, { timeout: 50_000 })
    .toBeGreaterThan(0)
  const { rows: stopped } = await gate.query<{ pid: number }>(waiting)
  child.kill('SIGKILL')
  await ended
  await gate.query('select pg_advisory_unlock($1)', [GATE])
  const left = async (): Promise<number> => {
    const pids = stopped.map(({ pid }) => pid)
    const { rows } = await gate.query('select from pg_stat_activity where pid = any ($1)', [pids])
    return rows.length
  }
  await expect.poll(left, { timeout: 20_000 }).toBe(0)
  gate.release()
}

describe('spares of two processes', () => {
  it('are each given to one of a hundred tenants, and no create fails', async () => {
    const { prefix, router, start, schemas } = await setUp(LOANS, 10)
    await router.tenants.spares.fill()
    const before = await schemas()
    expect(before.size).toBe(10)
    const slugs = (of: string): string[] => Array.from({ length: 50 }, (_, at) => `${of}${at}`)
    const codes = await Promise.all(
      ['a', 'b'].map(async (of) => (await once(start({ slugs: slugs(of) }), 'exit'))[0] as unknown),
    )
    expect(codes).toEqual([0, 0])
    const tenants = (await router.tenants.list()).map(({ schema }) => schema)
    expect(tenants).toHaveLength(100)
    const after = await schemas()
    const given = [...before.keys()].map((id) => after.get(id))
    expect(given.filter((name) => name !== undefined && tenants.includes(name))).toHaveLength(10)
    const others = [...after.values()].filter((name) => !tenants.includes(name))
    expect(others.toSorted()).toEqual(await recorded(prefix))
    const counts = tenants.map((name) => `select count(*)::int as n from "${name}".loans`)
    const { rows } = await database.admin.query<{ n: number }>(counts.join(' union all '))
    expect(rows.filter(({ n }) => n === 1)).toHaveLength(100)
    await router.close()
  })

  it('are no more than one process would keep', async () => {
    const { router, another, schemas } = await setUp(LOANS, 5)
    await Promise.all([router, another(), another()].map((each) => each.tenants.spares.fill()))
    expect((await schemas()).size).toBe(5)
    expect((await router.tenants.spares.status()).ready).toHaveLength(5)
  })

  it('do not keep a process alive', async () => {
    const { start } = await setUp(LOANS, 1)
    expect((await once(start({ slugs: ['acme'], leaves: true }), 'exit'))[0]).toBe(0)
  })
})

describe('a process that is killed', () => {
  it('while it makes spares leaves nothing, and the next one makes whole ones', async () => {
    const { prefix, router, start, schemas } = await setUp(GATED, 2)
    await killAtGate(() => start({}))
    expect((await schemas()).size).toBe(0)
    expect(await recorded(prefix)).toEqual([])
    await router.tenants.spares.fill()
    expect((await router.tenants.spares.status()).ready).toHaveLength(2)
  })

  it('while it creates a tenant from a spare leaves the spare, and no tenant', async () => {
    const { prefix, router, start, schemas } = await setUp(LOANS, 1)
    await router.tenants.spares.fill()
    const before = await schemas()
    await killAtGate(() => start({ slugs: ['acme'], gate: GATE }))
    expect(await schemas()).toEqual(before)
    expect(await router.tenants.list()).toEqual([])
    await router.tenants.create({ slug: 'acme' })
    const [id = 0] = before.keys()
    expect((await schemas()).get(id)).toBe(`${prefix}acme`)
    await router.close()
  })
})
