import { tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import Cursor from 'pg-cursor'
import {
  type MigrationMessage,
  type ScopeMessage,
  SchemaRouter,
  type TenantMessage,
} from 'tenantry'
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

let router: SchemaRouter
let pool: Pool
let prefix: string
const endings: (() => void)[] = []

beforeAll(async () => {
  prefix = database.prefix()
  pool = database.pool({ max: 1 })
  const tenants = { '1_loans.sql': 'create table loans (amount int)' }
  const schemas = await migrations.fleet(prefix, { tenants })
  router = new SchemaRouter({ pool, schemas })
  for (const slug of ['acme', 'zenith']) await router.tenants.create({ slug })
})

afterEach(() => {
  for (const end of endings.splice(0)) end()
})

/** Notes what is told on a channel: the event, and the message as it is at that moment. */
function listen<Message extends object>(name: string): (readonly [string, Message])[] {
  const told: (readonly [string, Message])[] = []
  const channel = tracingChannel<unknown, Message>(name)
  const note = (event: string) => (message: unknown) =>
    told.push([event, { ...(message as Message) }])
  const ignore = (): void => {}
  const subscribers = {
    start: note('start'),
    end: ignore,
    asyncStart: ignore,
    asyncEnd: note('end'),
    error: note('error'),
  }
  channel.subscribe(subscribers)
  endings.push(() => channel.unsubscribe(subscribers))
  return told
}

/** The counters of docs/observability.md. */
function countScopes(): { scopes: number; running: number; waits: number; failures: number } {
  const counters = { scopes: 0, running: 0, waits: 0, failures: 0 }
  const subscribers = {
    start: () => {
      counters.scopes += 1
      counters.running += 1
    },
    end: () => {},
    asyncStart: () => {},
    asyncEnd: (message: object) => {
      counters.running -= 1
      if ('waitMs' in message) counters.waits += 1
    },
    error: () => {
      counters.failures += 1
    },
  }
  const channel = tracingChannel<unknown, ScopeMessage>('tenantry:scope')
  channel.subscribe(subscribers)
  endings.push(() => channel.unsubscribe(subscribers))
  return counters
}

describe('tenantry:scope', () => {
  it('tells of each form of a scope, whose it is, and what came of it', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    await router.withTenant('acme', async (db) => (await db.query('select 1 as one')).rows)
    await router.poolFor('zenith').query('select 2')
    await router.withSchema(`shared_${prefix}`, () => 'nothing')
    const scope = { schema: `${prefix}acme`, form: 'function' }
    const acme = expect.objectContaining({
      slug: 'acme',
      id: expect.any(String) as string,
    }) as object
    expect(told).toMatchObject([
      ['start', { ...scope, tenant: acme }],
      ['end', { ...scope, tenant: acme, result: [{ one: 1 }] }],
      ['start', { schema: `${prefix}zenith`, form: 'statement', tenant: { slug: 'zenith' } }],
      ['end', { form: 'statement', result: { rowCount: 1 } }],
      ['start', { schema: `shared_${prefix}`, tenant: undefined, form: 'function' }],
      ['end', { result: 'nothing' }],
    ])
  })

  it('tells of a client of a pool until it is released', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    const client = await router.poolFor('acme').connect()
    await client.query('select 1')
    expect(told.map(([event]) => event)).toEqual(['start'])
    const released = once(pool, 'release')
    client.release()
    await released
    // The pool is told before the scope has ended.
    await router.poolFor('acme').query('select 1')
    const ofClient = told.filter(([, { form }]) => form === 'client')
    expect(ofClient.map(([event]) => event)).toEqual(['start', 'end'])
  })

  it('tells of the error of a statement, of a function and of a client that never came', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    await expect(router.poolFor('acme').query('select nothing')).rejects.toThrow('nothing')
    await expect(router.withTenant('acme', () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
    const starved = new SchemaRouter({
      pool,
      schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix } },
      scope: { acquireTimeout: 1 },
    })
    const acme = starved.poolFor('acme')
    await acme.query('select 1')
    const held = await pool.connect()
    await expect(acme.connect()).rejects.toMatchObject({ code: 'POOL_STARVED' })
    held.release()
    const failed = told.filter(([event]) => event === 'error').map(([, message]) => message)
    expect(failed).toMatchObject([
      { form: 'statement', error: { code: '42703' } },
      { form: 'function', error: { message: 'no' } },
      { form: 'client', error: { code: 'POOL_STARVED' }, waitMs: expect.any(Number) as number },
    ])
  })

  it('tells how long a scope waited for a client, and nothing where one was idle', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    const acme = router.poolFor('acme')
    await Promise.all([acme.query('select 1'), acme.query('select 2')])
    const waits = told.filter(([event]) => event === 'end').map(([, { waitMs }]) => typeof waitMs)
    expect(waits).toEqual(['undefined', 'number'])
  })

  it('counts with the counters of the page', async () => {
    const counters = countScopes()
    const acme = router.poolFor('acme')
    await Promise.all([acme.query('select 1'), acme.query('select 2')])
    await expect(acme.query('select nothing')).rejects.toThrow('nothing')
    await router.withTenant('acme', async () => {
      expect(counters).toEqual({ scopes: 4, running: 1, waits: 1, failures: 1 })
    })
    expect(counters).toEqual({ scopes: 4, running: 0, waits: 1, failures: 1 })
  })

  it('ends for cursors, too', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    const rows = await router.withTenant('acme', async (db) => {
      const cursor = db.query(new Cursor('select 7 as seven'))
      const read = await cursor.read(10)
      await cursor.close()
      return read
    })
    expect(rows).toEqual([{ seven: 7 }])
    expect(told.map(([event]) => event)).toEqual(['start', 'end'])
  })

  it('is silent for a tenant that is not served', async () => {
    const told = listen<ScopeMessage>('tenantry:scope')
    await expect(router.poolFor('nobody').query('select 1')).rejects.toMatchObject({
      code: 'TENANT_NOT_FOUND',
    })
    expect(told).toEqual([])
  })
})

describe('tenantry:tenant', () => {
  it('tells of every turn in a tenant’s life, with the tenant that came of it', async () => {
    const told = listen<TenantMessage>('tenantry:tenant')
    const { tenants } = router
    const { id } = await tenants.create({ slug: 'nova' })
    await tenants.update('nova', { name: 'Nova' })
    await tenants.suspend('nova')
    await tenants.activate('nova')
    await tenants.rename('nova', { slug: 'super' })
    await tenants.clone('super', { slug: 'copy' })
    await tenants.delete('super')
    await tenants.undelete('super')
    await tenants.delete('super')
    await tenants.purge('super', { confirm: 'super' })
    await tenants.createMany([{ slug: 'more' }])
    const ends = told.filter(([event]) => event === 'end')
    expect(ends.map(([, { action, slug, result }]) => [action, slug, result?.id === id])).toEqual([
      ['create', 'nova', true],
      ['update', 'nova', true],
      ['suspend', 'nova', true],
      ['activate', 'nova', true],
      ['rename', 'nova', true],
      ['clone', 'copy', false],
      ['delete', 'super', true],
      ['undelete', 'super', true],
      ['delete', 'super', true],
      ['purge', 'super', true],
      ['create', 'more', false],
    ])
  })

  it('tells of backups, restores and exports, with what they came to', async () => {
    const told = listen<TenantMessage>('tenantry:tenant')
    const { tenants } = router
    const folder = await mkdtemp(join(tmpdir(), 'tenantry-channels-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const { id } = await tenants.get('zenith')
    await database.admin.query(`insert into ${prefix}zenith.loans values (7)`)
    const archive = join(folder, 'zenith.tenantry.gz')
    await tenants.backup('zenith', archive)
    await tenants.export('zenith', join(folder, 'data'), { format: 'csv' })
    const { tenant } = await tenants.restore(archive, { as: 'nadir' })
    await expect(tenants.restore(archive)).rejects.toMatchObject({ code: 'TENANT_EXISTS' })
    expect(told).toMatchObject([
      ['start', { action: 'backup', slug: 'zenith' }],
      [
        'end',
        {
          action: 'backup',
          slug: 'zenith',
          result: { id, slug: 'zenith', report: { tables: 1, rows: 1, bytes: 2 } },
        },
      ],
      ['start', { action: 'export', slug: 'zenith' }],
      [
        'end',
        {
          action: 'export',
          slug: 'zenith',
          result: { id, slug: 'zenith', report: { tables: 1, rows: 1, bytes: 9 } },
        },
      ],
      ['start', { action: 'restore', slug: 'nadir' }],
      ['end', { slug: 'nadir', result: { id: tenant.id, slug: 'nadir', report: { rows: 1 } } }],
      ['start', { action: 'restore', slug: 'zenith' }],
      ['error', { slug: 'zenith', error: { code: 'TENANT_EXISTS' } }],
      ['end', { action: 'restore', slug: 'zenith' }],
    ])
  })

  it('tells of a change that failed', async () => {
    const told = listen<TenantMessage>('tenantry:tenant')
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toThrow('acme')
    expect(told).toMatchObject([
      ['start', { action: 'create', slug: 'acme' }],
      ['error', { error: { code: 'TENANT_EXISTS' } }],
      ['end', { action: 'create', slug: 'acme' }],
    ])
  })
})

describe('tenantry:migration', () => {
  it('tells of each schema of a run, what ran there and what failed', async () => {
    const fleet = database.prefix()
    const good = await migrations.fleet(fleet, {
      tenants: { '1_a.sql': 'create table a (id int)' },
    })
    const first = new SchemaRouter({ pool: database.pool(), schemas: good })
    for (const slug of ['one', 'two']) await first.tenants.create({ slug })
    const files = {
      '1_a.sql': 'create table a (id int)',
      '2_b.sql': 'create table b (id int)',
      '3_c.sql': `do $$ begin if current_schema = '${fleet}two' then raise 'not two'; end if; end $$`,
    }
    const more = await migrations.fleet(fleet, { tenants: files })
    const second = new SchemaRouter({ pool: database.pool(), schemas: more })
    const told = listen<MigrationMessage>('tenantry:migration')
    await expect(second.migrations.up({ concurrency: 1, lint: false })).rejects.toMatchObject({
      code: 'MIGRATION_RUN_FAILED',
    })
    const tenants = told.filter(([, { kind }]) => kind === 'tenant')
    expect(tenants).toMatchObject([
      ['start', { schema: `${fleet}one`, tenant: { slug: 'one' }, direction: 'up' }],
      ['end', { result: { status: 'done', applied: ['2_b.sql', '3_c.sql'] } }],
      ['start', { schema: `${fleet}two`, tenant: { slug: 'two' }, direction: 'up' }],
      ['error', { error: { code: 'MIGRATION_FAILED' } }],
      ['end', { schema: `${fleet}two` }],
    ])
  })
})
