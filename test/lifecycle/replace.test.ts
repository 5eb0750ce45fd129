import { access, readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { contentsOf, useFolder } from './archive-fleet.js'
import { GATE, killAt, shutGate, startChild, stateOf } from './crash.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

beforeAll(buildBinary)

/** Rows of loans wait at the gate while they come in. */
const LOANS: MigrationFiles = {
  '1_loans.sql': `
    create function waits() returns boolean language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(${GATE}); return true; end $$;
    create table loans (id int primary key, amount int check (waits()));
    create function total() returns bigint language sql set search_path from current
      as 'select sum(amount) from loans';`,
}

interface BackedUp extends Fleet {
  readonly file: string
}

/** A tenant that was backed up with the amount 5, and has got the amount 7 since. */
async function setUp(): Promise<BackedUp> {
  const fleet = await openFleet(database, migrations, { tenants: LOANS })
  const { router, prefix } = fleet
  await router.migrations.up()
  await router.tenants.create({
    slug: 'acme',
    domains: [`${prefix}acme.example.com`.replace('_', '')],
  })
  await database.admin.query(`insert into ${prefix}acme.loans values (1, 5)`)
  const file = folder.file('acme.tenantry.gz')
  await router.tenants.backup('acme', file)
  await database.admin.query(`insert into ${prefix}acme.loans values (2, 7)`)
  return { ...fleet, file }
}

const total = async ({ router }: Fleet, slug = 'acme'): Promise<unknown> => {
  const { rows } = await router.withTenant(slug, (db) =>
    db.query<{ total: string }>('select total()::text as total'),
  )
  return rows[0]?.total
}

describe('tenants.restore with replace', () => {
  it('gives the tenant the archive and keeps its former schema', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    const before = await router.tenants.get('acme')
    const domains = await router.tenants.domains.list('acme')
    const { tenant, former = '' } = await router.tenants.restore(file, { replace: true })
    expect(tenant).toEqual(before)
    expect(await total(fleet)).toBe('5')
    expect(former).toMatch(new RegExp(`^${prefix}acme_replaced_\\d{14}$`))
    expect(await fleet.one(`select sum(amount)::int from ${former}.loans`)).toBe(12)
    expect(await router.tenants.domains.list('acme')).toEqual(domains)
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('is announced, so that other processes let go of the former schema', async () => {
    const { router, file } = await setUp()
    const client = await database.admin.connect()
    const heard: (string | undefined)[] = []
    client.on('notification', ({ payload }) => heard.push(payload))
    await client.query('listen tenantry_registry')
    await router.tenants.restore(file, { replace: true })
    await expect.poll(() => heard).toEqual(['acme'])
    await client.query('unlisten *')
    client.removeAllListeners('notification')
    client.release()
  })

  it('waits for transactions of scopes, and gives up in time', async () => {
    const fleet = await setUp()
    const { router, file } = fleet
    await router.withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        const replacing = fleet.another().tenants.restore(file, { replace: true, lockTimeout: 100 })
        await expect(replacing).rejects.toMatchObject({ code: 'TENANT_BUSY' })
      },
      { transaction: true },
    )
    expect(await total(fleet)).toBe('12')
    await router.tenants.restore(file, { replace: true })
    expect(await total(fleet)).toBe('5')
  })

  it('refuses another tenant that has the slug by now, unless it is named', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await router.tenants.delete('acme')
    const refused = router.tenants.restore(file, { replace: true })
    await expect(refused).rejects.toMatchObject({ code: 'TENANT_STATUS' })
    await router.tenants.purge('acme', { confirm: 'acme' })
    await router.tenants.create({ slug: 'acme' })
    const other = router.tenants.restore(file, { replace: true })
    await expect(other).rejects.toMatchObject({ code: 'TENANT_EXISTS' })
    expect(await fleet.one(`select count(*)::int from ${prefix}acme.loans`)).toBe(0)
    await router.tenants.restore(file, { replace: true, as: 'acme' })
    expect(await total(fleet)).toBe('5')
  })

  it('makes a schema again that somebody has dropped', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    const before = await router.tenants.get('acme')
    expect(await total(fleet)).toBe('12')
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await expect(total(fleet)).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    await expect(router.tenants.restore(file)).rejects.toMatchObject({ code: 'TENANT_EXISTS' })

    const report = await router.tenants.restore(file, { replace: true })
    expect(report).toMatchObject({ tenant: before, verified: true, rows: 1 })
    expect(report).not.toHaveProperty('former')
    expect(await total(fleet)).toBe('5')
    expect((await router.migrations.verify()).findings).toEqual([])
    const { findings } = await router.tenants.audit()
    expect(findings.filter(({ tenant }) => tenant !== undefined)).toEqual([])
  })

  it('makes a dropped schema once, whoever else is at it', async () => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    const gate = await shutGate(database)
    const restore = (by: SchemaRouter): Promise<unknown> =>
      by.tenants.restore(file, { replace: true, lockTimeout: 60_000 })
    const first = restore(router)
    await gate.reached()
    const second = restore(fleet.another())
    const waiting = `select count(*)::int from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`
    await expect.poll(() => fleet.one(waiting), { timeout: 30_000 }).toBe(2)
    await gate.open()
    expect(await first).toMatchObject({ verified: true })
    await expect(second).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    expect(await total(fleet)).toBe('5')
  })

  it('makes a dropped schema for none but the tenant that was backed up', async () => {
    const { router, prefix, file } = await setUp()
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await router.tenants.delete('acme')
    await router.tenants.purge('acme', { confirm: 'acme' })
    await router.tenants.create({ slug: 'acme' })
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await expect(router.tenants.restore(file, { replace: true })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
    })
    const { findings } = await router.tenants.audit()
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'tenant-without-schema', tenant: 'acme' }),
    )
  })

  it('refuses a slug that nobody has', async () => {
    const { router, file } = await setUp()
    const nobody = router.tenants.restore(file, { replace: true, as: 'beta' })
    await expect(nobody).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
  })
})

describe('a process that is killed', () => {
  it('while it writes an archive leaves none, and the tenant as it was', async () => {
    const fleet = await setUp()
    const state = await stateOf(database, fleet)
    const file = folder.file('killed.tenantry.gz')
    const gate = await shutGate(database, `lock table ${fleet.prefix}acme.loans`)
    const child = startChild(database, fleet, { method: 'backup', args: ['acme', file] })
    await killAt(gate, child, database)
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await stateOf(database, fleet)).toEqual(state)
    await fleet.router.tenants.backup('acme', file)
    const names = await readdir(dirname(file))
    expect(names).toContain(basename(file))
  })

  it.each([
    ['restores', { as: 'beta' }, 'rows'],
    ['replaces', { replace: true }, 'rows'],
    ['replaces', { replace: true }, 'end'],
  ])('while it %s a tenant with %o, at the %s, changes nothing', async (_, options, point) => {
    const fleet = await setUp()
    const { router, prefix, file } = fleet
    const state = await stateOf(database, fleet)
    const contents = await contentsOf(database, `${prefix}acme`)
    const isEnd = point === 'end'
    const gate = isEnd
      ? await shutGate(database, `lock table ${prefix}acme.loans`)
      : await shutGate(database)
    const child = startChild(database, fleet, { method: 'restore', args: [file, options] })
    await gate.reached()
    // Until the very end the tenant is served from its own rows.
    expect(isEnd ? '12' : await total(fleet)).toBe('12')
    await killAt(gate, child, database)
    expect(await stateOf(database, fleet)).toEqual(state)
    expect(await contentsOf(database, `${prefix}acme`)).toEqual(contents)
    const { findings } = await router.tenants.audit()
    expect(findings.filter(({ schema = '' }) => schema.startsWith(prefix))).toEqual([])
    const { tenant } = await router.tenants.restore(file, options)
    expect(await total(fleet, tenant.slug)).toBe('5')
  })
})
