import { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { startEmbeddedPostgres } from 'tenantry/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AWKWARD } from '../integration/awkward-schema.js'
import { aloneKey, schemaKey } from '../../src/migration/unit/enter.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = { '1_create_loans.sql': 'create table loans (id int primary key)' }
const CONFIRM = { confirm: 'acme' }

async function setUp(tenants = LOANS): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
  return fleet
}

/** So many tables that one transaction may not drop them all. */
const MANY: MigrationFiles = {
  '1_many.sql': Array.from(
    { length: 60 },
    (
      _,
      at,
    ) => `create table t${at} (id serial primary key, other int references t${Math.max(0, at - 1)},
      note text not null default '');`,
  ).join('\n'),
}

describe('tenants.purge', () => {
  it('waits for whoever holds the schema’s lock no longer than it may', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.delete('acme')
    const client = await database.admin.connect()
    try {
      const schema = parseSchemaName(`${prefix}acme`)
      for (const key of [schemaKey(schema), aloneKey(schema)]) {
        await client.query(`begin; select pg_advisory_xact_lock(${key})`)
        await expect(
          router.tenants.purge('acme', { ...CONFIRM, lockTimeout: 50 }),
        ).rejects.toMatchObject({ code: 'TENANT_BUSY', schema })
        await client.query('rollback')
      }
    } finally {
      client.release()
    }
    await router.tenants.purge('acme', CONFIRM)
  })

  it('drops the schema of a deleted tenant, and forgets row and domains', async () => {
    const fleet = await setUp()
    const { router, prefix, shared } = fleet
    const deleted = await router.tenants.delete('acme')
    expect(await router.tenants.purge('acme', CONFIRM)).toEqual(deleted)
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(false)
    expect(await router.tenants.find('acme')).toBeUndefined()
    expect(await fleet.one(`select count(*)::int from ${shared}.tenantry_domains`)).toBe(0)
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ status: 'active' })
  })

  it.each([
    ['another slug', 'beta'],
    ['nothing', undefined],
    ['true', true],
  ])('asks for the slug again and does not take %s for it', async (_, confirm) => {
    const fleet = await setUp()
    await fleet.router.tenants.delete('acme')
    const wrong: unknown = confirm
    const purging = fleet.router.tenants.purge('acme', { confirm: wrong as string })
    await expect(purging).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'confirm' })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(true)
  })

  it('refuses a tenant that was not deleted', async () => {
    const fleet = await setUp()
    await expect(fleet.router.tenants.purge('acme', CONFIRM)).rejects.toMatchObject({
      code: 'TENANT_STATUS',
    })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(true)
  })

  it('finishes with a tenant whose schema is gone already', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.delete('acme')
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await router.tenants.purge('acme', CONFIRM)
    expect(await router.tenants.find('acme')).toBeUndefined()
  })

  it.each([
    ['a view', 'create view SHARED.v as select * from NAME.loans', 'view'],
    ['a foreign key', 'create table SHARED.t (id int references NAME.loans)', 'constraint'],
    [
      'a column’s type',
      `create type NAME.mood as enum ('a'); create table SHARED.t (m NAME.mood)`,
      'table',
    ],
    [
      'a function',
      'create function SHARED.f(NAME.loans) returns int language sql as $$ select 1 $$',
      'function',
    ],
    [
      'a default',
      `create sequence NAME.s; create table SHARED.t (id int default nextval('NAME.s'))`,
      'default value',
    ],
  ])('never drops %s of another schema along with it', async (_, sql, place) => {
    const fleet = await setUp()
    const { router, prefix, shared } = fleet
    await database.admin.query(sql.replaceAll('NAME', `${prefix}acme`).replaceAll('SHARED', shared))
    await router.tenants.delete('acme')
    await expect(router.tenants.purge('acme', CONFIRM)).rejects.toMatchObject({
      code: 'SCHEMA_IN_USE',
      schema: `${prefix}acme`,
      candidates: [expect.stringContaining(place)],
    })
    expect(await fleet.one(`select to_regclass('${prefix}acme.loans')::text`)).toContain('loans')
  })

  it('gives up when a transaction still reads the schema', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await router.tenants.delete('acme')
    const reader = await database.admin.connect()
    await reader.query(`begin; select * from ${prefix}acme.loans`)
    await expect(
      router.tenants.purge('acme', { ...CONFIRM, lockTimeout: 50 }),
    ).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    await reader.query('rollback')
    reader.release()
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
  })

  it('drops everything that a schema can have', async () => {
    const fleet = await setUp(AWKWARD)
    await fleet.router.tenants.delete('acme')
    await fleet.router.tenants.purge('acme', CONFIRM)
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
  })
})

describe('tenants.purge of a schema that is more than the server’s locks', () => {
  it('drops it in several transactions, where one would fail', async () => {
    const server = await startEmbeddedPostgres({
      settings: { max_locks_per_transaction: '10', max_connections: '12' },
    })
    onTestFinished(() => server.stop())
    const pool = new Pool({ connectionString: server.url, max: 3 })
    onTestFinished(() => pool.end())
    // The tables are made by several transactions, each within the locks that there are.
    const files = Object.fromEntries(
      (MANY['1_many.sql'] ?? '').split(/(?<=;)\n/).map((sql, at) => [`${at + 1}_t${at}.sql`, sql]),
    )
    const schemas = await migrations.fleet('t_', {})
    await new SchemaRouter({ pool, schemas }).tenants.create({ slug: 'acme' })
    const set = await migrations.fleet('t_', { tenants: files })
    const router = new SchemaRouter({ pool, schemas: set })
    await router.migrations.up({ atomicity: 'migration' })
    await expect(pool.query('drop schema t_acme cascade')).rejects.toMatchObject({ code: '53200' })
    await router.tenants.delete('acme')
    await router.tenants.purge('acme', CONFIRM)
    const { rows } = await pool.query(`select from pg_namespace where nspname = 't_acme'`)
    expect(rows).toEqual([])
    expect(await router.tenants.find('acme')).toBeUndefined()
  })
})

describe('a purge that did not come to its end', () => {
  /** A reader of the table that is dropped last keeps the purge from its end. */
  async function interrupted(): Promise<Fleet> {
    const fleet = await setUp(MANY)
    await fleet.router.tenants.delete('acme')
    const reader = await database.admin.connect()
    await reader.query(`begin; select * from ${fleet.prefix}acme.t0`)
    const purging = fleet.router.tenants.purge('acme', { ...CONFIRM, lockTimeout: 100 })
    await expect(purging).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    await reader.query('rollback')
    reader.release()
    return fleet
  }

  it('leaves a deleted tenant that can neither be undeleted nor renamed', async () => {
    const { router, prefix, one } = await interrupted()
    const left = await one(`select count(*)::int from pg_tables where schemaname = '${prefix}acme'`)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(61)
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
    const refused = { code: 'TENANT_STATUS', message: expect.stringContaining('purge') as unknown }
    await expect(router.tenants.undelete('acme')).rejects.toMatchObject(refused)
    const names = { schema: `${prefix}b` }
    await expect(router.tenants.rename('acme', names)).rejects.toMatchObject(refused)
  })

  it('is finished by the next one', async () => {
    const fleet = await interrupted()
    await fleet.router.tenants.purge('acme', CONFIRM)
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
    expect(await fleet.router.tenants.find('acme')).toBeUndefined()
  })
})
