import { Client, type PoolConfig } from 'pg'
import { SchemaRouter, type Tenant, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

/** As `pg-native`: nobody can ask it how its transaction stands. */
class PlainClient extends Client {
  override readonly getTransactionStatus = undefined as never
}

interface Given extends Fleet {
  readonly acme: Tenant
  /** Another process, in which scopes run meanwhile. */
  readonly other: SchemaRouter
  /** Renames the tenant and its schema, and creates another tenant under the former names. */
  replace(): Promise<void>
}

async function setUp(config: PoolConfig = {}): Promise<Given> {
  const fleet = await openFleet(
    database,
    migrations,
    {
      shared: { '1_notes.sql': 'create table notes (body text)' },
      tenants: { '1_notes.sql': `create table notes (body text)` },
    },
    { searchShared: true },
  )
  const { router, prefix, schemas } = fleet
  await router.migrations.up()
  const acme = await router.tenants.create({ slug: 'acme' })
  const other = new SchemaRouter({ pool: database.pool(config), schemas })
  await note(router, 'acme', 'first')
  return {
    ...fleet,
    acme,
    other,
    async replace() {
      await router.tenants.rename('acme', { slug: 'apex', schema: `${prefix}apex` })
      await router.tenants.create({ slug: 'acme' })
      await note(router, 'acme', 'second')
    },
  }
}

const NOTES = 'select body from notes'

async function note(router: SchemaRouter, slug: string, body: string): Promise<void> {
  await router.withTenant(slug, (db) => db.query('insert into notes values ($1)', [body]))
}

const CLIENTS: Readonly<Record<string, PoolConfig>> = {
  'a client of pg': {},
  'a client without the wire protocol in JavaScript': { Client: PlainClient },
}

describe.each(Object.entries(CLIENTS))('a scope of %s', (_, config) => {
  it('is not answered by a new tenant that got the names of its own', async () => {
    const { other, acme, replace } = await setUp(config)
    await other.withTenant('acme', async (db) => {
      expect((await db.query(NOTES)).rows).toEqual([{ body: 'first' }])
      await replace()
      const gone = { code: 'SCHEMA_MISSING', schema: acme.schema }
      await expect(db.query(NOTES)).rejects.toMatchObject(gone)
      await expect(db.query(NOTES)).rejects.toMatchObject(gone)
      await expect(db.query('insert into notes values ($1)', [1])).rejects.toMatchObject(gone)
    })
    const bodies = async (slug: string): Promise<unknown> =>
      other.withTenant(slug, async (db) => (await db.query(NOTES)).rows)
    expect(await bodies('acme')).toEqual([{ body: 'second' }])
    expect(await bodies('apex')).toEqual([{ body: 'first' }])
  })

  it('is not answered by it with its first statement either', async () => {
    const { other, replace } = await setUp(config)
    const scopes = [{}, { transaction: true }].map((options) =>
      other.withTenant(
        'acme',
        async (db) => {
          await replaced
          return db.query(NOTES)
        },
        options,
      ),
    )
    const pooled = other.runAs('acme', async () => {
      await replaced
      return other.pool.query(NOTES)
    })
    const nested = other.runAs('acme', async () => {
      await replaced
      return other.withTenant((db) => db.query(NOTES))
    })
    const replaced = other.tenants.get('acme').then(replace)
    const gone = { status: 'rejected', reason: { code: 'SCHEMA_MISSING' } }
    expect(await Promise.allSettled([...scopes, pooled, nested])).toMatchObject(
      Array.from({ length: 4 }, () => gone),
    )
  })

  it('leaves the caller’s own errors alone that look like its refusals', async () => {
    const { other } = await setUp(config)
    await other.withTenant('acme', async (db) => {
      await expect(db.query(`select 'x'::boolean`)).rejects.toMatchObject({ code: '22P02' })
      await expect(db.query(`create table nowhere.a ()`)).rejects.toMatchObject({ code: '3F000' })
    })
  })
})

describe('a session scope', () => {
  it('is refused when the name has gone to another tenant', async () => {
    const { other, replace } = await setUp()
    const late = other.withTenant(
      'acme',
      async (db) => {
        await replaced
        return db.query(NOTES)
      },
      { scope: 'session' },
    )
    const replaced = other.tenants.get('acme').then(replace)
    await expect(late).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
  })
})

describe('router.poolFor', () => {
  it('asks whose the slug is now, and keeps to the tenant that it was given', async () => {
    const { other, acme, replace } = await setUp()
    const [bySlug, byTenant] = [other.poolFor('acme'), other.poolFor(acme)]
    for (const pool of [bySlug, byTenant]) {
      expect((await pool.query(NOTES)).rows).toEqual([{ body: 'first' }])
    }
    await replace()
    await expect(byTenant.query(NOTES)).rejects.toMatchObject({
      code: expect.stringMatching(/^(SCHEMA_MISSING|TENANT_NOT_FOUND)$/) as string,
    })
    await expect(byTenant.query(NOTES)).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    expect((await bySlug.query(NOTES)).rows).toEqual([{ body: 'second' }])
  })
})

describe('a tenant that was handed around', () => {
  it('does not stand for another one that has its slug by now', async () => {
    const { other, acme, replace } = await setUp()
    await replace()
    const lost = { code: 'TENANT_NOT_FOUND', tenant: 'acme' }
    await expect(other.withTenant(acme, (db) => db.query(NOTES))).rejects.toMatchObject(lost)
    await expect(other.runAs(acme, () => 1)).rejects.toMatchObject(lost)
  })

  it('is served when it is the new one, and the process still remembers the former', async () => {
    const { router, other, replace } = await setUp()
    await other.tenants.get('acme')
    await replace()
    const tenant = await router.tenants.get('acme')
    const { rows } = await other.withTenant(tenant, (db) => db.query(NOTES))
    expect(rows).toEqual([{ body: 'second' }])
  })
})

describe('router.each', () => {
  it('fails in a tenant whose name has gone to another one since the run began', async () => {
    const { router, other, prefix, replace } = await setUp()
    await router.tenants.create({ slug: 'aaa' })
    const seen: unknown[] = []
    const run = other.each(select.tenants(), async (db) => {
      if (seen.length === 0) await replace()
      seen.push((await db.query(NOTES)).rows)
    })
    await expect(run).rejects.toMatchObject({
      code: 'RUN_FAILED',
      report: { outcomes: [{ status: 'done' }, { schema: `${prefix}acme`, status: 'failed' }] },
    })
    expect(seen).toEqual([[]])
  })
})

describe('a schema that was put back by hand', () => {
  it('is served again once a scope has met it', async () => {
    const { other, acme } = await setUp()
    await other.withTenant('acme', async (db) => {
      await db.query(NOTES)
      await database.admin.query(
        `drop schema ${acme.schema} cascade; create schema ${acme.schema};
         create table ${acme.schema}.notes as select 'restored' as body`,
      )
      await expect(db.query(NOTES)).rejects.toMatchObject({
        code: 'SCHEMA_MISSING',
        message: expect.stringContaining('another one has its name') as string,
      })
    })
    const { rows } = await other.withTenant('acme', (db) => db.query(NOTES))
    expect(rows).toEqual([{ body: 'restored' }])
  })
})
