import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SchemaRouter } from 'tenantry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { openRouter } from './role-per-tenant.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const database = useDatabase()
const folders = useMigrationFolders()
let router: SchemaRouter

beforeAll(async () => {
  const migrations = await folders.folder({
    '1_loans.sql': 'create table loans (id int generated always as identity, amount int)',
  })
  router = openRouter(database.url, migrations)
  await router.tenants.create({ slug: 'acme' })
  await router.tenants.create({ slug: 'globex' })
})

afterAll(() => router.close())

const roles = async (): Promise<number> => {
  const { rowCount } = await database.admin.query(
    `select from pg_roles join tenantry_tenants on rolname = 'tenant_' || id`,
  )
  return rowCount ?? 0
}

describe('the role per tenant in docs/security.md', () => {
  it('is the code that is tested here', () => {
    const [, shown] =
      /## A role per tenant[^]*?```ts\n([^]*?)```/.exec(read('docs/security.md')) ?? []
    expect(shown).toBe(read('test/docs/role-per-tenant.ts'))
  })

  it('reads and writes what is its own', async () => {
    const { rows } = await router.withTenant('acme', (db) =>
      db.query('insert into loans (amount) values (7) returning amount'),
    )
    expect(rows).toEqual([{ amount: 7 }])
  })

  it('is refused what is another tenant’s, also in a transaction', async () => {
    const steal = 'select * from tenant_globex.loans'
    const refused = { code: '42501' }
    await expect(router.poolFor('acme').query(steal)).rejects.toMatchObject(refused)
    const inTransaction = router.withTenant('acme', (db) => db.query(steal), { transaction: true })
    await expect(inTransaction).rejects.toMatchObject(refused)
  })

  it('has rights on tables that come later', async () => {
    await database.admin.query('create table tenant_acme.notes (body text)')
    const { rows } = await router.poolFor('acme').query('select * from notes')
    expect(rows).toEqual([])
  })

  it('goes with its tenant', async () => {
    const before = await roles()
    await router.tenants.delete('globex')
    await router.tenants.purge('globex', { confirm: 'globex' })
    await router.tenants.delete('acme')
    await router.tenants.purge('acme', { confirm: 'acme' })
    expect([before, await roles()]).toEqual([2, 0])
    const left = await database.admin.query(
      `select from pg_roles where rolname like 'tenant\\_%-%-%'`,
    )
    expect(left.rowCount).toBe(0)
  })
})
