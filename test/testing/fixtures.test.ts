import { once } from 'node:events'
import { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { createTestDatabase, createTestTenant, truncateTenant } from 'tenantry/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { openSilentProxy } from '../support/silent-proxy.js'

const database = useDatabase()
const migrations = useMigrationFolders()
let router: SchemaRouter

beforeAll(async () => {
  const tenants = {
    '1_loans.sql': `create table loans (id serial primary key, amount int);
      create table payments (id int generated always as identity, loan int references loans);
      create table "Rates" (percent int);
      insert into "Rates" values (5)`,
  }
  const schemas = await migrations.fleet(database.prefix(), { tenants })
  router = new SchemaRouter({ pool: database.pool(), schemas })
})

const COUNTS = `select (select count(*)::int from loans) loans, (select count(*)::int from payments) payments,
  (select count(*)::int from "Rates") rates, (select count(*)::int from migrations) ledger`
const FILL =
  'insert into loans (amount) values (900); insert into payments (loan) select id from loans'

describe('createTestTenant', () => {
  it('makes a tenant that is gone at the end of the test', async () => {
    let slug: string
    {
      await using made = await createTestTenant(router)
      slug = made.slug
      await router.withTenant(slug, (db) => db.query(FILL))
    }
    expect(await router.tenants.find(slug)).toBeUndefined()
    expect(await router.tenants.list({ status: ['active', 'deleted'] })).toEqual([])
  })

  it('gives it the rows of another one, which stays as it is', async () => {
    await using template = await createTestTenant(router, { slug: 'template' })
    await router.withTenant('template', (db) => db.query(FILL))
    await using made = await createTestTenant(router, { from: template.slug })
    await router.withTenant(made.slug, (db) => db.query(`delete from payments`))
    const { rows } = await router.poolFor('template').query(COUNTS)
    const copy = await router.poolFor(made.slug).query(COUNTS)
    expect([rows[0], copy.rows[0]]).toMatchObject([
      { loans: 1, payments: 1 },
      { loans: 1, payments: 0 },
    ])
  })

  it('is content with a tenant that the test has purged', async () => {
    const { slug, drop } = await createTestTenant(router)
    await router.tenants.delete(slug)
    await router.tenants.purge(slug, { confirm: slug })
    await drop()
    expect(await router.tenants.find(slug)).toBeUndefined()
  })
})

describe('truncateTenant', () => {
  it('empties one tenant’s tables and starts their numbers again; the ledger stays', async () => {
    await using one = await createTestTenant(router)
    await using other = await createTestTenant(router)
    for (const { slug } of [one, other]) await router.withTenant(slug, (db) => db.query(FILL))
    await one.truncate()
    const emptied = await router.poolFor(one.slug).query(COUNTS)
    const left = await router.poolFor(other.slug).query(COUNTS)
    expect([emptied.rows[0], left.rows[0]]).toEqual([
      { loans: 0, payments: 0, rates: 0, ledger: expect.any(Number) as number },
      { loans: 1, payments: 1, rates: 1, ledger: expect.any(Number) as number },
    ])
    expect(emptied.rows[0]?.ledger).toBeGreaterThan(0)
    const next = await router
      .poolFor(one.slug)
      .query('insert into loans values (default) returning id')
    expect(next.rows).toEqual([{ id: 1 }])
  })

  it('leaves the tables of "except" alone, and refuses one that is not there', async () => {
    await using made = await createTestTenant(router)
    await router.withTenant(made.slug, (db) => db.query(FILL))
    const misspelt = truncateTenant(router, made.slug, { except: ['rates'] })
    await expect(misspelt).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'except' })
    await truncateTenant(router, made.tenant, { except: ['Rates'] })
    const { rows } = await router.poolFor(made.slug).query(COUNTS)
    expect(rows[0]).toMatchObject({ loans: 0, rates: 1 })
  })
})

/** Whether a client looks at a database, or drops it, or has done so. */
async function isSomebodyDropping(name: string): Promise<boolean> {
  const { rows } = await database.admin.query<{ is: boolean }>(
    `select not exists (select from pg_database where datname = $1) or exists (
       select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and (query like 'select from pg_stat_activity%' or query like 'drop database%')) as is`,
    [name],
  )
  return rows[0]?.is === true
}

describe('createTestDatabase', () => {
  it('makes a copy of a template, and drops it with the connections that are left', async () => {
    const connectionString = database.url
    await using template = await createTestDatabase({ connectionString, prefix: 'template_' })
    const left = new Pool({ connectionString: template.connectionString })
    left.on('error', () => {})
    await left.query('create table loans (amount int)')
    const copy = await createTestDatabase({ connectionString, template: template.name })
    const client = new Pool({ connectionString: copy.connectionString })
    client.on('error', () => {})
    const { rows } = await client.query('select * from loans')
    expect(rows).toEqual([])
    const lost = once(client, 'error')
    await copy.drop()
    await lost
    await copy.drop()
    const found = await database.admin.query('select from pg_database where datname = $1', [
      copy.name,
    ])
    expect(found.rows).toEqual([])
    await Promise.all([client.end(), left.end()])
  })

  it('gives a pool that was closed just before the time to do so', async () => {
    await using proxy = await openSilentProxy(database.url)
    const made = await createTestDatabase({ connectionString: database.url })
    const { pathname } = new URL(made.connectionString)
    const pool = new Pool({ connectionString: new URL(pathname, proxy.url).href })
    const errors: unknown[] = []
    pool.on('error', (error) => errors.push(error))
    await pool.query('select 1')
    const removed = once(pool, 'remove')
    proxy.silence()
    await pool.end()
    const dropping = made.drop()
    await expect.poll(() => isSomebodyDropping(made.name)).toBe(true)
    proxy.speak()
    await Promise.all([dropping, removed])
    expect(errors).toEqual([])
  })

  it('ends the backends that a test has left', async () => {
    await using made = await createTestDatabase({ connectionString: database.url })
    const pool = new Pool({ connectionString: made.connectionString })
    await pool.query('select 1')
    const lost = once(pool, 'error')
    await made.endBackends()
    const [error] = (await lost) as [unknown]
    expect(error).toMatchObject({ code: '57P01' })
    await pool.end()
  })
})
