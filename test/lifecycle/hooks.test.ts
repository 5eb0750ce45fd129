import type { TenantHooks } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const setUp = (hooks: TenantHooks): Promise<Fleet> =>
  openFleet(
    database,
    migrations,
    { tenants: { '1_create_loans.sql': 'create table loans (id int)' } },
    { hooks },
  )

const fail = async (): Promise<never> => {
  throw new Error('no, says the hook')
}
const CONFIRM = { confirm: 'acme' }

describe('hooks', () => {
  it('are called in the order of a tenant’s life', async () => {
    const called: string[] = []
    const note = (name: string) => async (): Promise<void> => void called.push(name)
    const { router } = await setUp({
      beforeCreate: note('beforeCreate'),
      beforeMigrate: note('beforeMigrate'),
      afterMigrate: note('afterMigrate'),
      afterCreate: note('afterCreate'),
      beforeDelete: note('beforeDelete'),
      afterDelete: note('afterDelete'),
      beforePurge: note('beforePurge'),
      afterPurge: note('afterPurge'),
    })
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.delete('acme')
    await router.tenants.delete('acme')
    await router.tenants.purge('acme', CONFIRM)
    expect(called).toEqual([
      'beforeCreate',
      'beforeMigrate',
      'afterMigrate',
      'afterCreate',
      'beforeDelete',
      'afterDelete',
      'beforePurge',
      'afterPurge',
    ])
  })

  it('work in the tenant’s schema, as a part of the transaction', async () => {
    const { router } = await setUp({
      afterCreate: ({ tenant, db }) =>
        db.query('insert into loans values ($1)', [tenant.slug.length]),
    })
    await router.tenants.create({ slug: 'acme' })
    const { rows } = await router.withTenant('acme', (db) => db.query('select id from loans'))
    expect(rows).toEqual([{ id: 4 }])
  })

  it.each(['beforeCreate', 'beforeMigrate', 'afterMigrate', 'afterCreate'] as const)(
    'leave nothing of a tenant when %s throws',
    async (name) => {
      const fleet = await setUp({ [name]: fail })
      await expect(fleet.router.tenants.create({ slug: 'acme' })).rejects.toThrow('no, says')
      expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
      expect(await fleet.router.tenants.find('acme')).toBeUndefined()
    },
  )

  it('fail the operation when they swallow the failure of a statement', async () => {
    const fleet = await setUp({
      afterCreate: ({ db }) => db.query('select * from nowhere').catch(() => {}),
    })
    await expect(fleet.router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: '25P02',
    })
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
  })

  it('leave a tenant as it was when they throw before it is deleted or purged', async () => {
    const fleet = await setUp({ beforePurge: fail })
    const strict = await setUp({ beforeDelete: fail })
    await strict.router.tenants.create({ slug: 'acme' })
    await expect(strict.router.tenants.delete('acme')).rejects.toThrow('no, says')
    expect(await strict.router.tenants.get('acme')).toMatchObject({ status: 'active' })
    await fleet.router.tenants.create({ slug: 'acme' })
    await fleet.router.tenants.delete('acme')
    await expect(fleet.router.tenants.purge('acme', CONFIRM)).rejects.toThrow('no, says')
    expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(true)
  })

  it('that throw after the commit say that the work is done', async () => {
    const fleet = await setUp({ afterDelete: fail, afterPurge: fail })
    const { router } = fleet
    await router.tenants.create({ slug: 'acme' })
    const failed = { code: 'HOOK_FAILED', tenant: 'acme', cause: { message: 'no, says the hook' } }
    await expect(router.tenants.delete('acme')).rejects.toMatchObject(failed)
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'deleted' })
    await expect(router.tenants.purge('acme', CONFIRM)).rejects.toMatchObject(failed)
    expect(await router.tenants.find('acme')).toBeUndefined()
  })

  it('cannot keep the client that they were lent', async () => {
    const kept: Parameters<NonNullable<TenantHooks['afterCreate']>>[0]['db'][] = []
    const { router } = await setUp({ afterCreate: ({ db }) => void kept.push(db) })
    await router.tenants.create({ slug: 'acme' })
    expect(() => kept[0]?.query('select 1')).toThrow('revoked')
  })

  it.each([
    ['a name that is misspelt', { afterCreated: fail }],
    ['what is no function', { afterCreate: 'seed' }],
  ])('refuse %s', async (_, hooks) => {
    const wrong: unknown = hooks
    await expect(setUp(wrong as TenantHooks)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})
