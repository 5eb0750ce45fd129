import { describe, expect, it, onTestFinished } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

/** A fleet with the tenant `acme`. */
async function setUp(): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, {
    tenants: { '1_loans.sql': 'create table loans (id int)' },
  })
  await fleet.router.tenants.create({ slug: 'acme' })
  return fleet
}

/** Has the server refuse a kind of command, as policies of some services do. */
async function refuse(tag: string): Promise<void> {
  await database.admin.query(`
    create function refuse() returns event_trigger language plpgsql as
      $$ begin raise 'not on Fridays'; end $$;
    create event trigger refuse on ddl_command_start when tag in ('${tag}') execute function refuse()`)
  onTestFinished(async () => {
    await database.admin.query('drop event trigger refuse; drop function refuse')
  })
}

describe('what the server itself refuses', () => {
  it('fails a tenant that is created, and leaves nothing of it', async () => {
    const { router } = await setUp()
    await refuse('CREATE SCHEMA')
    await expect(router.tenants.create({ slug: 'beta' })).rejects.toThrow('not on Fridays')
    expect(await router.tenants.find('beta')).toBeUndefined()
  })

  it('fails a rename, and leaves the tenant as it was', async () => {
    const { router, prefix } = await setUp()
    const before = await router.tenants.get('acme')
    await refuse('ALTER SCHEMA')
    const renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
    await expect(renaming).rejects.toThrow('not on Fridays')
    expect(await router.tenants.get('acme')).toEqual(before)
  })

  it('fails a rename whose fence cannot be raised, and leaves the tenant as it was', async () => {
    const { router, prefix } = await setUp()
    await refuse('DROP SCHEMA')
    const renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
    await expect(renaming).rejects.toThrow('not on Fridays')
    const { rows } = await router.withTenant('acme', (db) => db.query('select * from loans'))
    expect(rows).toEqual([])
  })

  it('fails a purge, which can be done later', async () => {
    const { router, prefix, schemaExists } = await setUp()
    await router.tenants.delete('acme')
    await refuse('DROP SCHEMA')
    const purging = router.tenants.purge('acme', { confirm: 'acme' })
    await expect(purging).rejects.toThrow('not on Fridays')
    expect(await schemaExists(`${prefix}acme`)).toBe(true)
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
  })
})
