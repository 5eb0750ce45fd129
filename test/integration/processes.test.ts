import pg from 'pg'
import { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'
import { runScript } from '../support/script.js'

const database = useDatabase()
const BUILD_MS = 240_000

beforeAll(buildBinary, BUILD_MS)

interface Fleet {
  readonly router: SchemaRouter
  /** What a script needs to open the same fleet. */
  readonly env: Readonly<Record<string, string>>
}

async function fleetWithAcme(): Promise<Fleet> {
  const prefix = database.prefix()
  const shared = `shared_${prefix}`
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: { shared: { name: shared }, tenants: { prefix } },
  })
  await router.tenants.create({ slug: 'acme' })
  return { router, env: { DATABASE: database.url, PREFIX: prefix, SHARED: shared } }
}

/** What each script begins with. */
const OPEN = `
  import pg from 'pg'
  import { SchemaRouter } from 'tenantry'
  const { DATABASE, PREFIX, SHARED } = process.env
  const schemas = { shared: { name: SHARED }, tenants: { prefix: PREFIX } }
`

describe('a process with a router', { timeout: 60_000 }, () => {
  it('ends by itself when the router is closed', async () => {
    const { env } = await fleetWithAcme()
    const source = `${OPEN}
      const router = new SchemaRouter({ connectionString: DATABASE, schemas })
      await router.withTenant('acme', (db) => db.query('select 1'))
      await router.close()`
    await using script = runScript(source, env)
    expect(await script.ended).toEqual({ code: 0, stderr: '' })
  })

  it('ends by itself when the pool that was given is ended, though nobody closes the router', async () => {
    const { env } = await fleetWithAcme()
    const source = `${OPEN}
      const pool = new pg.Pool({ connectionString: DATABASE })
      const router = new SchemaRouter({ pool, schemas })
      await router.withTenant('acme', (db) => db.query('select 1'))
      await pool.end()`
    await using script = runScript(source, env)
    expect(await script.ended).toEqual({ code: 0, stderr: '' })
  })

  it('is not kept alive by the connection that listens', async () => {
    const { env } = await fleetWithAcme()
    const source = `${OPEN}
      const poolOptions = { allowExitOnIdle: true }
      const router = new SchemaRouter({ connectionString: DATABASE, poolOptions, schemas })
      await router.tenants.get('acme')`
    await using script = runScript(source, env)
    expect(await script.ended).toEqual({ code: 0, stderr: '' })
  })
})

describe('a tenant that is suspended', { timeout: 60_000 }, () => {
  it('is refused at once here, and within a second in another process, after it was announced', async () => {
    const { router, env } = await fleetWithAcme()
    const ear = new pg.Client({ connectionString: database.url })
    await ear.connect()
    const heard: string[] = []
    const refused = new Promise<Refusal>((resolve) => {
      ear.on('notification', ({ channel, payload = '' }) => {
        heard.push(channel)
        const [code = '', ...at] = payload.split(' ')
        if (channel === 'refused') resolve({ code, at: new Date(at.join(' ')) })
      })
    })
    await ear.query('listen tenantry_registry; listen refused')
    await router.runAs('acme', () => 1)
    const source = `${OPEN}
      import { setTimeout as pause } from 'node:timers/promises'
      const pool = new pg.Pool({ connectionString: DATABASE })
      const router = new SchemaRouter({ pool, schemas, cache: { ttl: 60_000 } })
      await router.runAs('acme', () => console.log('served'))
      const serve = () => router.runAs('acme', () => true).catch(({ code }) => code)
      let outcome = true
      while (outcome === true) outcome = await serve().finally(() => pause(1))
      await pool.query("select pg_notify('refused', $1 || ' ' || clock_timestamp())", [outcome])
      await pool.end()`
    await using script = runScript(source, env)
    expect(await script.spoken).toBe('served\n')
    await listening(3)
    await router.tenants.suspend('acme')
    const { rows } = await ear.query<{ now: Date }>('select clock_timestamp() as now')
    await expect(router.runAs('acme', () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    const refusal = await refused
    expect(heard).toEqual(['tenantry_registry', 'refused'])
    expect(refusal.code).toBe('TENANT_SUSPENDED')
    expect(refusal.at.getTime() - (rows[0]?.now.getTime() ?? 0)).toBeLessThan(1_000)
    expect((await script.ended).code).toBe(0)
    await ear.end()
    await router.close()
  })
})

/** What the other process says when it is refused, by the server's clock. */
interface Refusal {
  readonly code: string
  readonly at: Date
}

/** Waits until so many backends listen: the process has a connection that hears what is announced. */
async function listening(count: number): Promise<void> {
  for (;;) {
    const { rowCount } = await database.admin.query(
      `select from pg_stat_activity where datname = current_database() and query ilike 'listen %'`,
    )
    if ((rowCount ?? 0) >= count) return
  }
}
