import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet } from './project.js'
import { HAS_TERMINAL, KEY, callInTerminal } from './terminal.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

async function exists(schema: string): Promise<boolean> {
  const { rows } = await database.admin.query('select from pg_namespace where nspname = $1', [
    schema,
  ])
  return rows.length === 1
}

describe('tenantry tenant', () => {
  it('creates a tenant and shows all that is known of it', async () => {
    const project = await openFleet(database, [])
    const words = ['tenant', 'create', 'a', '--name', 'Acme', '--domain', 'a.test', '--json']
    const created = await project.tenantry(...words)
    expect(created.code).toBe(0)
    expect(JSON.parse(created.stdout)).toMatchObject({ slug: 'a', name: 'Acme', status: 'active' })

    const { code, stdout } = await project.tenantry('tenant', 'show', 'a')
    expect(code).toBe(0)
    expect(linesOf(stdout).map((line) => line.replace(/ +/, ' '))).toEqual([
      'slug a',
      'name Acme',
      `schema ${project.prefix}a`,
      'status active',
      expect.stringMatching(/^id [0-9a-f-]{36}$/),
      expect.stringMatching(/^created \d{4}-/),
      'metadata {}',
      'domain a.test (primary)',
      'migrations version 1, current',
    ])
    expect(await project.tenantry('tenant', 'show', 'b')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^TENANT_NOT_FOUND: /) as string,
    })
  })

  it('suspends a tenant and serves it again', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix } = project
    const suspended = await project.tenantry('tenant', 'suspend', 'a')
    expect(suspended).toEqual({ code: 0, stdout: `${prefix}a  suspended\n`, stderr: '' })
    const active = await project.tenantry('tenant', 'activate', 'a', '--json')
    expect(JSON.parse(active.stdout)).toMatchObject({ slug: 'a', status: 'active' })
  })

  it('renames a tenant and its schema', async () => {
    const project = await openFleet(database, ['a'])
    const schema = `${project.prefix}renamed`
    const { code, stdout } = await project.tenantry(
      'tenant',
      'rename',
      'a',
      'b',
      '--new-schema',
      schema,
    )
    expect(code).toBe(0)
    expect(stdout).toContain(`a is now b, in schema ${schema}`)
    expect(await exists(schema)).toBe(true)
    expect(await exists(`${project.prefix}a`)).toBe(false)
    expect(await project.tenantry('tenant', 'rename', 'b')).toMatchObject({ code: 2 })
  })

  it('clones a tenant with its rows or without', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix } = project
    await database.admin.query(`insert into ${prefix}a.loans values (7)`)
    const full = await project.tenantry('tenant', 'clone', 'a', 'b', '--domain', 'b.test')
    expect(full.code).toBe(0)
    const bare = await project.tenantry('tenant', 'clone', 'a', 'c', '--no-data', '--json')
    expect(JSON.parse(bare.stdout)).toMatchObject({ slug: 'c', schema: `${prefix}c` })
    const { rows } = await database.admin.query(
      `select (select count(*)::int from ${prefix}b.loans) as b,
              (select count(*)::int from ${prefix}c.loans) as c`,
    )
    expect(rows).toEqual([{ b: 1, c: 0 }])
  })

  it('deletes, undeletes and purges a tenant, the last only after its slug was given again', async () => {
    const project = await openFleet(database, ['a'])
    const schema = `${project.prefix}a`
    await project.tenantry('tenant', 'delete', 'a')
    const undeleted = await project.tenantry('tenant', 'undelete', 'a')
    expect(undeleted).toMatchObject({ code: 0, stdout: `${schema}  undeleted\n` })
    expect(await project.tenantry('tenant', 'delete', 'a')).toMatchObject({ code: 0 })
    const unsure = await project.tenantry('tenant', 'purge', 'a')
    expect(unsure).toMatchObject({ code: 2, stdout: '' })
    expect(unsure.stderr).toContain('--confirm a')
    expect(await project.tenantry('tenant', 'purge', 'a', '--confirm', 'b')).toMatchObject({
      code: 2,
    })
    expect(await exists(schema)).toBe(true)
    const purged = await project.tenantry('tenant', 'purge', 'a', '--confirm', 'a')
    expect(purged).toEqual({ code: 0, stdout: `${schema}  purged\n`, stderr: '' })
    expect(await exists(schema)).toBe(false)
  })

  it.runIf(HAS_TERMINAL)('asks for the slug on a terminal before it purges', async () => {
    const project = await openFleet(database, ['a'])
    await project.tenantry('tenant', 'delete', 'a')
    const options = { cwd: project.folder, env: { DATABASE_URL: database.url } }
    const type = (keys: string) =>
      callInTerminal(['tenant', 'purge', 'a'], [{ after: 'Type its slug', keys }], options)
    expect(await type(`b${KEY.enter}`)).toMatchObject({ code: 2 })
    expect(await exists(`${project.prefix}a`)).toBe(true)
    expect(await type(`a${KEY.enter}`)).toMatchObject({ code: 0 })
    expect(await exists(`${project.prefix}a`)).toBe(false)
  })

  it('says with 4 that somebody else holds the locks', async () => {
    const project = await openFleet(database, ['a'])
    await project.write(
      'migrations/tenant/2_alter.sql',
      "set local lock_timeout = '50ms'; alter table loans add column fee int;",
    )
    const client = await database.admin.connect()
    try {
      await client.query(`begin; lock table ${project.prefix}a.loans in access share mode`)
      const { code, stderr } = await project.tenantry('migrate', '-ds')
      expect({ code, stderr }).toMatchObject({
        code: 4,
        stderr: expect.stringMatching(/^MIGRATION_RUN_FAILED/) as string,
      })
    } finally {
      await client.query('rollback')
      client.release()
    }
  })
})

describe('tenantry domain', () => {
  it('adds, verifies, lists and removes the domains of a tenant', async () => {
    const project = await openFleet(database, ['a'])
    const first = await project.tenantry('domain', 'add', 'a', 'a.test')
    expect(first).toEqual({ code: 0, stdout: 'a.test  added  a\n', stderr: '' })
    await project.tenantry('domain', 'add', 'a', 'claim.test/path', '--unverified')
    await project.tenantry('domain', 'add', 'a', 'b.test')
    expect(await project.tenantry('domain', 'primary', 'a', 'b.test')).toMatchObject({ code: 0 })
    const { stdout } = await project.tenantry('domain', 'list', 'a')
    expect(linesOf(stdout)).toEqual([
      'b.test (primary)',
      'a.test',
      'claim.test/path (not verified: leads nowhere yet)',
    ])
  })

  it('removes a domain and confirms a claim', async () => {
    const project = await openFleet(database, ['a'])
    await project.tenantry('domain', 'add', 'a', 'a.test', '--unverified')
    const verified = await project.tenantry('domain', 'verify', 'a', 'a.test', '--json')
    expect(JSON.parse(verified.stdout)).toMatchObject({
      tenant: 'a',
      host: 'a.test',
      verified: true,
    })
    expect(await project.tenantry('domain', 'remove', 'a', 'a.test')).toMatchObject({ code: 0 })
    const { code, stderr } = await project.tenantry('domain', 'remove', 'a', 'a.test')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^DOMAIN_NOT_FOUND: /)
    expect(await project.tenantry('domain', 'list', 'nobody')).toMatchObject({ code: 1 })
  })
})
