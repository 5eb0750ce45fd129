import Cursor from 'pg-cursor'
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
      await expect(fleet.router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
        code: 'HOOK_FAILED',
        option: `hooks.${name}`,
        tenant: 'acme',
        schema: `${fleet.prefix}acme`,
        cause: { message: 'no, says the hook' },
      })
      expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
      expect(await fleet.router.tenants.find('acme')).toBeUndefined()
    },
  )

  it('fail the operation when they swallow the failure of a statement', async () => {
    const fleet = await setUp({
      afterCreate: ({ db }) => db.query('select * from nowhere').catch(() => {}),
    })
    await expect(fleet.router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      option: 'hooks.afterCreate',
      sqlState: '25P02',
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
    expect(() => kept[0]?.query('select 1')).toThrow(
      expect.objectContaining({ code: 'SCOPE_CLOSED' }),
    )
  })

  it.each(['commit', 'rollback', 'begin', `prepare transaction 'x'`, 'select 1; /* */ End'])(
    'cannot end the transaction that they are part of by "%s"',
    async (text) => {
      const fleet = await setUp({
        afterCreate: async ({ db }) => {
          await db.query('insert into loans values (1)')
          await db.query(text)
        },
      })
      await expect(fleet.router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
        code: 'HOOK_FAILED',
        cause: { code: 'STATEMENT_REFUSED', option: 'hooks.afterCreate', statement: text },
      })
      expect(await fleet.schemaExists(`${fleet.prefix}acme`)).toBe(false)
    },
  )

  it('may use savepoints and cursors, and nothing that has no text', async () => {
    const refused: unknown[] = []
    const { router } = await setUp({
      afterCreate: async ({ db }) => {
        await db.query('savepoint here')
        await db.query('select * from nowhere').catch(() => db.query('rollback to savepoint here'))
        const cursor = db.query(new Cursor<{ one: number }>('select 1 as one'))
        expect(await cursor.read(1)).toEqual([{ one: 1 }])
        await cursor.close()
        try {
          db.query({ submit: () => {} })
        } catch (error) {
          refused.push(error)
        }
      },
    })
    await router.tenants.create({ slug: 'acme' })
    expect(refused).toMatchObject([{ code: 'STATEMENT_REFUSED' }])
  })

  it('leave their settings and their role behind with the transaction', async () => {
    const { router, pool } = await setUp({
      beforeCreate: ({ db }) => db.query(`set work_mem to '77MB'; set search_path to public`),
      afterCreate: async ({ db }) => {
        const { rows } = await db.query(`select current_setting('work_mem') as work_mem`)
        expect(rows).not.toEqual([{ work_mem: '77MB' }])
      },
    })
    await router.tenants.create({ slug: 'acme' })
    const { rows } = await pool.query(
      `select current_setting('work_mem') = '77MB' as kept, current_setting('search_path') as path`,
    )
    expect(rows).toEqual([{ kept: false, path: '"$user", public' }])
  })

  it('may write to what all tenants share', async () => {
    const fleet = await setUp({
      beforeMigrate: ({ db }) => db.query(`insert into public.hook_log values ('before')`),
      afterMigrate: ({ db }) => db.query(`insert into public.hook_log values ('after')`),
    })
    await database.admin.query('create table public.hook_log (turn text)')
    await fleet.router.tenants.create({ slug: 'acme' })
    expect(await fleet.one('select array_agg(turn) from public.hook_log')).toEqual([
      'before',
      'after',
    ])
  })

  it('are told of the schema and the direction of its migration', async () => {
    const told: unknown[] = []
    const { router, prefix } = await setUp({
      beforeMigrate: ({ schema, kind, tenant, direction }) =>
        void told.push([schema, kind, tenant?.slug, direction]),
    })
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.clone('acme', { slug: 'beta' })
    expect(told).toEqual([
      [`${prefix}acme`, 'tenant', 'acme', 'up'],
      [`${prefix}beta`, 'tenant', 'beta', 'up'],
    ])
  })

  it.each([
    ['a name that is misspelt', { afterCreated: fail }],
    ['what is no function', { afterCreate: 'seed' }],
  ])('refuse %s', async (_, hooks) => {
    const wrong: unknown = hooks
    await expect(setUp(wrong as TenantHooks)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})
