import { memoryRegistry } from 'tenantry/testing'
import type { MigrationBridge } from 'tenantry/migrate'
import { SchemaRouter } from 'tenantry'
import { describe, expect, it, vi } from 'vitest'
import { openFleet } from '../lifecycle/fleet.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const FILES = { tenants: { '1_create_loans.sql': 'create table loans (id int)' } }

describe('a router with a registry in memory', () => {
  it('takes a tenant through its life without a table', async () => {
    const registry = memoryRegistry()
    const { router, one, prefix } = await openFleet(database, migrations, FILES, { registry })
    await router.tenants.create({ slug: 'acme', domains: ['acme.test'] })
    expect(await router.resolve({ host: 'acme.test' })).toMatchObject({ tenant: { slug: 'acme' } })
    await router.withTenant('acme', (db) => db.query('insert into loans values (1)'))
    await router.tenants.clone('acme', { slug: 'copy' })
    await router.tenants.rename('copy', { slug: 'twin', schema: `${prefix}twin` })
    await router.tenants.delete('twin')
    await router.tenants.undelete('twin')
    await router.tenants.delete('twin')
    await router.tenants.purge('twin', { confirm: 'twin' })
    expect((await router.tenants.list()).map(({ slug }) => slug)).toEqual(['acme'])
    const tables = `select count(*)::int from pg_class where relname like 'tenantry\\_%'`
    expect(await one(tables)).toBe(0)
  })

  it('has nothing of a tenant whose hook has failed after the row was there', async () => {
    const registry = memoryRegistry()
    const fail = vi.fn<() => Promise<void>>(async () => {
      expect(await registry.list(database.admin)).toEqual([])
      throw new Error('no, says the hook')
    })
    const options = { registry, hooks: { afterCreate: fail } }
    const { router, schemaExists, prefix } = await openFleet(database, migrations, FILES, options)
    const order = { slug: 'acme', domains: ['acme.test'] }
    await expect(router.tenants.create(order)).rejects.toThrow('no, says')
    expect(fail).toHaveBeenCalledOnce()
    expect(await router.tenants.find('acme')).toBeUndefined()
    expect(await router.resolve({ host: 'acme.test' })).toBeUndefined()
    expect(await schemaExists(`${prefix}acme`)).toBe(false)
  })

  it('gives a tenant to another tool, which has the row rolled back to a savepoint', async () => {
    const bridge: MigrationBridge = {
      kind: 'bridge',
      origin: 'a tool',
      up: async ({ client }) => {
        await client.query('create table loans (id int)')
        return ['loans']
      },
      pending: async () => [],
    }
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: { tenants: { prefix: database.prefix(), migrations: bridge } },
      registry: memoryRegistry(),
    })
    await router.tenants.create({ slug: 'acme' })
    expect((await router.tenants.list()).map(({ slug }) => slug)).toEqual(['acme'])
    await router.close()
  })

  it('tells another router that shares it what was written', async () => {
    const registry = memoryRegistry()
    const { router, another } = await openFleet(database, migrations, FILES, { registry })
    const other = another()
    await router.tenants.create({ slug: 'acme' })
    await expect.poll(() => other.tenants.find('acme')).toBeDefined()
    await router.tenants.suspend('acme')
    await expect
      .poll(async () => (await other.tenants.get('acme')).status, { timeout: 5_000 })
      .toBe('suspended')
    await router.close()
    await other.close()
  })

  it('needs no right but to connect and to make schemas', async () => {
    const role = `plain_${database.name}`.slice(0, 63)
    await database.admin.query(`create role "${role}" nosuperuser`)
    try {
      const pool = database.pool({ options: `-c role=${role}` })
      const registry = memoryRegistry()
      const { rows } = await pool.query<{ is_superuser: string }>('show is_superuser')
      expect(rows).toEqual([{ is_superuser: 'off' }])
      await database.admin.query(`grant create on database "${database.name}" to "${role}"`)
      const schemas = { tenants: { prefix: database.prefix() } }
      const router = new SchemaRouter({ pool, schemas, registry })
      expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ status: 'active' })
      await router.close()
    } finally {
      await database.admin.query(`drop owned by "${role}" cascade`)
      await database.admin.query(`drop role "${role}"`)
    }
  })
})
