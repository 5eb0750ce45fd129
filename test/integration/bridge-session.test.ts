import { SchemaRouter, isTenantryError, select } from 'tenantry'
import type { BridgeTarget, MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { lockKey } from '../../src/postgres/advisory-lock.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
const acmeOnly = { select: select.names('acme') }

/** A tool that does what it is told. */
function tool(
  up: (target: BridgeTarget) => Promise<unknown>,
  pending: (target: BridgeTarget) => Promise<readonly string[]> = async () => [],
): MigrationBridge {
  return {
    kind: 'bridge',
    origin: 'A tool',
    pending,
    up: async (target) => {
      await up(target)
      return ['step']
    },
  }
}

interface Fleet {
  readonly prefix: string
  readonly tenant: string
  routerWith(bridge: MigrationBridge, max?: number): SchemaRouter
}

async function oneTenant(): Promise<Fleet> {
  const prefix = database.prefix()
  const shared = { name: `shared_${prefix}` }
  const plain = new SchemaRouter({
    pool: database.pool(),
    schemas: { shared, tenants: { prefix } },
  })
  await plain.tenants.create({ slug: 'acme' })
  const routerWith = (bridge: MigrationBridge, max = 4): SchemaRouter =>
    new SchemaRouter({
      pool: database.pool({ max }),
      schemas: {
        shared,
        static: { [`main_${prefix}`]: { migrations: bridge } },
        tenants: { prefix, migrations: bridge, searchPath: [shared.name] },
      },
    })
  return { prefix, tenant: `${prefix}acme`, routerWith }
}

async function failureOf(running: Promise<unknown>, schema: string): Promise<unknown> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
  const { outcomes } = error.report as { outcomes: readonly { schema: string; error?: unknown }[] }
  return outcomes.find((outcome) => outcome.schema === schema)?.error
}

describe('a bridge', () => {
  it('is given the schema, its tenant, its path and a session that has it', async () => {
    const { prefix, routerWith } = await oneTenant()
    const seen: unknown[] = []
    const router = routerWith(
      tool(async ({ client, pool, schema, tenant, searchPath }) => {
        const text = `select current_setting('search_path') as path`
        const { rows } = await client.query<{ path: string }>(text)
        const again = await pool.query<{ path: string }>(text)
        seen.push({ schema, tenant, searchPath, paths: [rows[0]?.path, again.rows[0]?.path] })
      }),
    )
    await router.migrations.up()
    const [main, acme, shared] = [`main_${prefix}`, `${prefix}acme`, `shared_${prefix}`]
    const path = `"${acme}", "${shared}", pg_temp`
    expect(seen).toEqual([
      {
        schema: main,
        tenant: undefined,
        searchPath: [main, 'pg_temp'],
        paths: [`"${main}", pg_temp`, `"${main}", pg_temp`],
      },
      { schema: acme, tenant: 'acme', searchPath: [acme, shared, 'pg_temp'], paths: [path, path] },
    ])
  })

  it('makes a static schema that is missing', async () => {
    const { prefix, routerWith } = await oneTenant()
    const router = routerWith(tool(({ client }) => client.query('create table plans ()')))
    expect(await router.migrations.status()).toMatchObject([
      { schema: `shared_${prefix}` },
      { schema: `main_${prefix}`, exists: false, pending: [] },
      { schema: `${prefix}acme`, exists: true },
    ])
    await router.migrations.up()
    const { rows } = await database.admin.query('select to_regclass($1) is not null as made', [
      `main_${prefix}.plans`,
    ])
    expect(rows).toEqual([{ made: true }])
  })

  it('runs on one schema one at a time, whoever else migrates it', async () => {
    const { routerWith } = await oneTenant()
    let inside = 0
    let most = 0
    const router = routerWith(
      tool(async ({ client }) => {
        inside += 1
        most = Math.max(most, inside)
        await client.query('create table if not exists steps ()')
        inside -= 1
      }),
    )
    await Promise.all([1, 2, 3].map(() => router.migrations.up(acmeOnly)))
    expect(most).toBe(1)
  })

  it('says so when another run holds the schema for too long', async () => {
    const { tenant, routerWith } = await oneTenant()
    const router = routerWith(tool(async () => {}))
    const other = await database.admin.connect()
    await other.query('select pg_advisory_lock($1)', [lockKey('schema', tenant)])
    const error = await failureOf(router.migrations.up({ ...acmeOnly, lockTimeout: 1 }), tenant)
    other.release(true)
    expect(error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: tenant,
      message: expect.stringContaining('another run') as string,
    })
  })

  it('fails when the tool has changed the path of its session', async () => {
    const { tenant, routerWith } = await oneTenant()
    const router = routerWith(tool(({ client }) => client.query(`set search_path to 'public'`)))
    expect(await failureOf(router.migrations.up(acmeOnly), tenant)).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: tenant,
      message: expect.stringContaining('search_path') as string,
    })
  })

  it('fails when the tool has left its transaction open, and so has done nothing', async () => {
    const { tenant, routerWith } = await oneTenant()
    const router = routerWith(tool(({ client }) => client.query('begin; create table loans ()')))
    expect(await failureOf(router.migrations.up(acmeOnly), tenant)).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('transaction open') as string,
    })
  })

  it('leaves nothing of its session to the next user of the pool', async () => {
    const { routerWith } = await oneTenant()
    const router = routerWith(
      tool(({ client }) => client.query(`set work_mem to '77MB'`)),
      1,
    )
    await router.migrations.up()
    const { rows } = await router.withTenant('acme', (db) =>
      db.query(`select current_setting('work_mem') = '77MB' as left_behind`),
    )
    expect(rows).toEqual([{ left_behind: false }])
  })

  it('waits for the client while a transaction of the tool has it', async () => {
    const { tenant, routerWith } = await oneTenant()
    const router = routerWith(
      tool(async ({ pool }) => {
        const first = await pool.connect()
        await first.query('begin')
        const outside = pool.query('create table outside ()')
        await first.query('create table inside ()')
        await first.query('rollback')
        first.release()
        await outside
        await pool.end()
      }),
    )
    await router.migrations.up()
    const { rows } = await database.admin.query(
      'select tablename from pg_tables where schemaname = $1',
      [tenant],
    )
    expect(rows).toEqual([{ tablename: 'outside' }])
  })

  it('shows as the problem of a schema what the tool says when it is asked', async () => {
    const { routerWith } = await oneTenant()
    const pending = async ({ client }: BridgeTarget): Promise<readonly string[]> => {
      await client.query('select nothing')
      return []
    }
    const router = routerWith(tool(async () => {}, pending))
    const statuses = await router.migrations.status()
    expect(statuses.at(-1)).toMatchObject({
      tenant: 'acme',
      pending: [],
      problem: { code: 'MIGRATION_FAILED', sqlState: '42703' },
    })
  })
})

describe('tenants.create with a bridge', () => {
  it('leaves a tenant of the same slug, and a schema of the same name, as they are', async () => {
    const { prefix, tenant, routerWith } = await oneTenant()
    const router = routerWith(tool(({ client }) => client.query('create table loans ()')))
    await database.admin.query(`create schema ${prefix}own; create table ${tenant}.notes ()`)
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
    })
    await expect(router.tenants.create({ slug: 'own' })).rejects.toMatchObject({
      code: 'SCHEMA_EXISTS',
    })
    const { rows } = await database.admin.query(
      'select to_regnamespace($1) is not null as own, to_regclass($2) is not null as notes',
      [`${prefix}own`, `${tenant}.notes`],
    )
    expect(rows).toEqual([{ own: true, notes: true }])
  })

  it('needs no second client, and serves the tenant only when it is complete', async () => {
    const { routerWith } = await oneTenant()
    const seen: unknown[] = []
    const other = routerWith(tool(async () => {}))
    const router = routerWith(
      tool(async () => {
        seen.push((await other.tenants.list()).map(({ slug }) => slug))
      }),
      1,
    )
    await router.tenants.create({ slug: 'beta' })
    expect(seen).toEqual([['acme']])
    expect((await other.tenants.list()).map(({ slug }) => slug)).toEqual(['acme', 'beta'])
  })
})
