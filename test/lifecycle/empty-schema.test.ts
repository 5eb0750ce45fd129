import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { useFolder } from './archive-fleet.js'

const here = useDatabase()
const there = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

/** Tenants that have nothing in their schemas, not even a ledger. */
async function setUp(): Promise<{
  readonly from: SchemaRouter
  readonly to: SchemaRouter
  readonly prefix: string
}> {
  const prefix = here.prefix()
  const { shared } = await migrations.fleet(prefix, {})
  const schemas = { ...(shared && { shared }), tenants: { prefix } }
  const from = new SchemaRouter({ pool: here.pool(), schemas })
  const to = new SchemaRouter({ pool: there.pool(), schemas })
  await from.migrations.up()
  await to.migrations.up()
  await from.tenants.create({ slug: 'acme' })
  return { from, to, prefix }
}

async function pathOf(router: SchemaRouter, slug: string): Promise<unknown> {
  const { rows } = await router.withTenant(slug, (db) => db.query('select current_schema() as at'))
  return rows[0]?.at
}

describe('a tenant with nothing in its schema', () => {
  it('is backed up, restored and cloned', async () => {
    const { from, prefix } = await setUp()
    const file = folder.file('acme.gz')
    expect(await from.tenants.backup('acme', file)).toMatchObject({ tables: 0, rows: 0 })
    expect(await from.tenants.restore(file, { as: 'beta' })).toMatchObject({ tables: 0, rows: 0 })
    await from.tenants.restore(file, { replace: true })
    await from.tenants.clone('acme', { slug: 'gamma' })
    for (const slug of ['acme', 'beta', 'gamma']) {
      expect(await pathOf(from, slug)).toBe(prefix + slug)
    }
  })

  it('is renamed, deleted, served again and purged', async () => {
    const { from, prefix } = await setUp()
    await from.tenants.rename('acme', { schema: `${prefix}other` })
    expect(await pathOf(from, 'acme')).toBe(`${prefix}other`)
    await from.tenants.delete('acme')
    await from.tenants.undelete('acme')
    expect(await pathOf(from, 'acme')).toBe(`${prefix}other`)
    await from.tenants.delete('acme')
    await from.tenants.purge('acme', { confirm: 'acme' })
    const { rows } = await here.admin.query('select from pg_namespace where nspname = $1', [
      `${prefix}other`,
    ])
    expect(rows).toEqual([])
  })

  it('is moved, and taken back', async () => {
    const { from, to, prefix } = await setUp()
    await from.tenants.move('acme', { to })
    expect(await pathOf(to, 'acme')).toBe(`${prefix}acme`)
    await to.tenants.delete('acme')
    await from.tenants.takeBack('acme')
    expect(await pathOf(from, 'acme')).toBe(`${prefix}acme`)
  })
})
