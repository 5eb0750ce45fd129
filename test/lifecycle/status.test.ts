import { SchemaRouter } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { markSchema } from '../../src/lifecycle/schema-mark.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, type FleetOptions, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_create_loans.sql': 'create table loans (id int primary key); insert into loans values (7)',
}

async function setUp(options: FleetOptions = {}): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants: LOANS }, options)
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
  return fleet
}

const loans = async ({ router }: Fleet, slug = 'acme'): Promise<unknown> =>
  router.withTenant(slug, async (db) => (await db.query('select id from loans')).rows)

describe('tenants.update', () => {
  it('changes the name or the metadata, and leaves the rest', async () => {
    const { router } = await setUp()
    const before = await router.tenants.get('acme')
    expect(await router.tenants.update('acme', { name: 'Acme Inc.' })).toEqual({
      ...before,
      name: 'Acme Inc.',
    })
    const metadata = { plan: 'gold' }
    expect(await router.tenants.update('acme', { metadata })).toMatchObject({
      name: 'Acme Inc.',
      metadata,
    })
    expect(await router.tenants.get('acme')).toMatchObject({ metadata })
  })

  it.each([
    ['a name that is no text', { name: 5 }],
    ['metadata that are a list', { metadata: [] }],
  ])('refuses %s', async (_, changes: object) => {
    const { router } = await setUp()
    const before = await router.tenants.get('acme')
    await expect(router.tenants.update('acme', changes)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    })
    expect(await router.tenants.get('acme')).toEqual(before)
  })

  it('says that nobody has the slug', async () => {
    const { router } = await setUp()
    const missing = { code: 'TENANT_NOT_FOUND', tenant: 'nobody' }
    await expect(router.tenants.update('nobody', { name: 'x' })).rejects.toMatchObject(missing)
  })
})

describe('tenants.delete', () => {
  it('refuses scopes and leaves runs of migrations, and keeps the schema', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    expect(await router.tenants.delete('acme')).toMatchObject({ status: 'deleted' })
    await expect(loans(fleet)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    expect(await router.tenants.list()).toEqual([])
    expect(await router.migrations.status()).toHaveLength(2)
    expect(await fleet.one(`select id from ${prefix}acme.loans`)).toBe(7)
  })

  it('keeps slug and schema from being given to another tenant', async () => {
    const { router } = await setUp()
    await router.tenants.delete('acme')
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
    })
  })

  it('can be repeated', async () => {
    const { router } = await setUp()
    await router.tenants.delete('acme')
    expect(await router.tenants.delete('acme')).toMatchObject({ status: 'deleted' })
  })

  it('deletes a tenant whose schema is gone', async () => {
    const { router, prefix } = await setUp()
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    expect(await router.tenants.delete('acme')).toMatchObject({ status: 'deleted' })
  })

  it.each(['suspend', 'activate'] as const)('lets nobody %s the tenant', async (change) => {
    const { router } = await setUp()
    await router.tenants.delete('acme')
    await expect(router.tenants[change]('acme')).rejects.toMatchObject({
      code: 'TENANT_STATUS',
      tenant: 'acme',
    })
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
  })
})

describe('tenants.undelete', () => {
  it('serves a deleted tenant again, with the migrations that it has missed', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.delete('acme')
    const schemas = await migrations.fleet(fleet.prefix, {
      tenants: { ...LOANS, '2_more.sql': 'alter table loans add amount int default 5' },
    })
    const newer = new SchemaRouter({ pool: database.pool(), schemas })
    expect(await newer.tenants.undelete('acme')).toMatchObject({ status: 'active' })
    const { rows } = await newer.withTenant('acme', (db) => db.query('select * from loans'))
    expect(rows).toEqual([{ id: 7, amount: 5 }])
    expect((await newer.migrations.verify()).findings).toEqual([])
  })

  it('leaves the schema’s own comment as it was', async () => {
    const { router, prefix, one } = await setUp()
    await database.admin.query(`comment on schema ${prefix}acme is 'ours, isn''t it'`)
    await router.tenants.delete('acme')
    await router.tenants.undelete('acme')
    const comment = `select obj_description('${prefix}acme'::regnamespace, 'pg_namespace')`
    expect(await one(comment)).toBe(`ours, isn't it`)
  })

  it('refuses a tenant that is not deleted', async () => {
    const { router } = await setUp()
    await expect(router.tenants.undelete('acme')).rejects.toMatchObject({ code: 'TENANT_STATUS' })
  })

  it('refuses a tenant whose schema is gone, which stays deleted', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.delete('acme')
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await expect(router.tenants.undelete('acme')).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
  })
})

describe('a tenant whose schema is made elsewhere', () => {
  it('is provisioning until its schema is there and it is activated', async () => {
    const fleet = await openFleet(database, migrations, {}, { autoCreateSchema: false })
    const { router, prefix } = fleet
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ status: 'provisioning' })
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(false)
    await expect(router.tenants.activate('acme')).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    await database.admin.query(`create schema ${prefix}acme; create table ${prefix}acme.loans ();`)
    expect(await router.tenants.activate('acme')).toMatchObject({ status: 'active' })
    const { rows } = await router.withTenant('acme', (db) => db.query('select count(*) from loans'))
    expect(rows).toEqual([{ count: '0' }])
  })

  it('is active at once when its schema is there, and nothing is made in it', async () => {
    const fleet = await openFleet(
      database,
      migrations,
      { tenants: LOANS },
      { autoCreateSchema: false },
    )
    const { router, prefix } = fleet
    await database.admin.query(`create schema ${prefix}acme`)
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ status: 'active' })
    expect(await fleet.one(`select to_regclass('${prefix}acme.loans')`)).toBeNull()
  })

  it('is a choice of yes or no', async () => {
    const wrong: unknown = 'false'
    const opening = openFleet(database, migrations, {}, { autoCreateSchema: wrong as boolean })
    await expect(opening).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})

describe('a tenant that another tool migrates', () => {
  it('is deleted and served again without a run of the tool', async () => {
    const { prefix } = await setUp()
    const runs: string[] = []
    const tool: MigrationBridge = {
      kind: 'bridge',
      origin: 'A tool',
      pending: () => Promise.resolve([]),
      up: ({ schema }) => {
        runs.push(schema)
        return Promise.resolve([])
      },
    }
    const schemas = { shared: { name: `shared_${prefix}` }, tenants: { prefix, migrations: tool } }
    const { tenants } = new SchemaRouter({ pool: database.pool(), schemas })
    await tenants.delete('acme')
    expect(await tenants.undelete('acme')).toMatchObject({ status: 'active' })
    expect(runs).toEqual([])
  })
})

describe('a tenant whose move to this database has not ended', () => {
  it('is not served by mistake, and found by an audit', async () => {
    const { router, prefix } = await setUp()
    const schema = parseSchemaName(`${prefix}acme`)
    await router.tenants.suspend('acme')
    const client = await database.admin.connect()
    try {
      await markSchema(client, schema, { kind: 'arriving', at: new Date() })
    } finally {
      client.release()
    }
    await expect(router.tenants.activate('acme')).rejects.toMatchObject({
      code: 'TENANT_STATUS',
      message: expect.stringContaining('has not ended') as string,
    })
    const { findings } = await router.tenants.audit()
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'tenant-arriving', tenant: 'acme' }),
    )
  })
})
