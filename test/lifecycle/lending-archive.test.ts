import { fileURLToPath } from 'node:url'
import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { diffSchemas } from '../../src/migration/verify/difference.js'
import { tableBytes } from '../../src/lifecycle/rows/late-keys.js'
import { structureOf } from '../../src/lifecycle/rows/structure-of.js'
import { useDatabase } from '../support/database.js'
import { contentsOf, useFolder } from './archive-fleet.js'
import { lendingBooks } from './lending-books.js'

const database = useDatabase()
const folder = useFolder()
const LENDING = fileURLToPath(new URL('../../examples/lending/migrations/', import.meta.url))

interface Lender {
  readonly router: SchemaRouter
  readonly prefix: string
}

/** A lender of the example, whose books are large enough for keys to be made after the rows. */
async function lender(loans: number): Promise<Lender> {
  const prefix = database.prefix()
  const shared = `shared_${prefix}`
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: {
      shared: { name: shared, migrations: `${LENDING}public` },
      tenants: { prefix, migrations: `${LENDING}tenant`, searchPath: [shared] },
    },
  })
  await router.migrations.up()
  await router.tenants.create({ slug: 'acme', name: 'Acme Lending' })
  await router.withTenant('acme', (db) => db.query(lendingBooks(loans)), { transaction: true })
  return { router, prefix }
}

/** What is different between the structures of two schemas, as the catalogs have them. */
async function differences(one: string, other: string): Promise<readonly string[]> {
  const client = await database.admin.connect()
  try {
    await client.query('begin; set local search_path = pg_catalog')
    const structures = [
      await structureOf(client, parseSchemaName(one)),
      await structureOf(client, parseSchemaName(other)),
    ] as const
    return diffSchemas(...structures)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

/** Whether its tables are so large that keys are made after the rows. */
async function isLarge(prefix: string): Promise<boolean> {
  const client = await database.admin.connect()
  try {
    return (await tableBytes(client, parseSchemaName(`${prefix}acme`))) > 8 * 1024 * 1024
  } finally {
    client.release()
  }
}

describe('the archive of a lender of the example', () => {
  it.each([
    ['small', 20],
    ['large', 3000],
  ])('restores a %s one beside it, and in its place, as it was', async (size, loans) => {
    const { router, prefix } = await lender(loans)
    const before = await contentsOf(database, `${prefix}acme`)
    for (const [name, rows] of Object.entries(before)) expect(rows, name).not.toEqual([])
    const file = folder.file('acme.tenantry.gz')
    const backup = await router.tenants.backup('acme', file)
    expect(await isLarge(prefix)).toBe(size === 'large')

    const beside = await router.tenants.restore(file, { as: 'beta' })
    expect(beside).toMatchObject({ rows: backup.rows, tables: backup.tables, migrated: [] })
    expect(await differences(`${prefix}acme`, `${prefix}beta`)).toEqual([])
    expect(await contentsOf(database, `${prefix}beta`)).toEqual(before)

    await router.withTenant('acme', (db) => db.query('delete from notes'))
    const { former = '' } = await router.tenants.restore(file, { replace: true })
    expect(await differences(former, `${prefix}acme`)).toEqual([])
    expect(await contentsOf(database, `${prefix}acme`)).toEqual(before)
    expect((await router.migrations.verify()).findings).toEqual([])
  })
})
