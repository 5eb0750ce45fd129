import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { type Project, openFleet, temporaryFolder } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

interface Finding {
  readonly check: string
  readonly level: string
  readonly names?: readonly string[]
  readonly advice?: string
}

function findingsOf(stdout: string): ReadonlyMap<string, Finding> {
  const findings = JSON.parse(stdout) as readonly Finding[]
  return new Map(findings.map((finding) => [finding.check, finding]))
}

/** A schema that is kept ready for a tenant is nobody's, and no mistake. */
async function makeSpare({ folder, shared, prefix }: Project): Promise<void> {
  const migrations = join(folder, 'migrations/tenant')
  const tenants = { prefix, migrations, searchPath: [shared] }
  const schemas = { shared: { name: shared }, tenants }
  const router = new SchemaRouter({ pool: database.pool(), schemas, spares: 1 })
  await router.tenants.spares.fill()
  await router.close()
}

describe('tenantry doctor', () => {
  it('has nothing to say against a fleet that is as it should be', async () => {
    const project = await openFleet(database, ['a'])
    await makeSpare(project)
    const { code, stdout, stderr } = await project.tenantry('doctor')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^fine +version: PostgreSQL \d+/m)
    expect(stdout).toMatch(/^fine +pooler: no pooler in between$/m)
    expect(stdout).toMatch(/^16 checks: 16 fine$/m)
  })

  it('finds what is wrong with schemas, and says of each what to do', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix } = project
    const { admin } = database
    await admin.query(`drop schema ${prefix}b cascade`)
    await admin.query(`create schema ${prefix}nobody; create schema "${prefix}NOBODY"`)
    await admin.query('create table public.loans (amount int)')
    await admin.query(`insert into ${prefix}c.loans values (1), (1)`)
    await admin
      .query(`create unique index concurrently twice on ${prefix}c.loans (amount)`)
      .catch(() => {})
    await admin.query(
      `alter role current_user in database ${database.name} set search_path = ${prefix}a`,
    )
    try {
      const { code, stdout } = await project.tenantry('doctor', '--json', '--no-drift')
      expect(code).toBe(1)
      const findings = findingsOf(stdout)
      expect(findings.get('tenants without a schema')).toMatchObject({
        level: 'error',
        names: [`${prefix}b`],
      })
      const strange = findings.get('schemas without a tenant')
      expect(strange?.level).toBe('warning')
      expect(strange?.names?.toSorted()).toEqual([`${prefix}NOBODY`, `${prefix}nobody`])
      expect(findings.get('names by case')).toMatchObject({
        names: [`${prefix}NOBODY, ${prefix}nobody`],
      })
      expect(findings.get('stray objects')).toMatchObject({ names: ['table public.loans'] })
      expect(findings.get('invalid indexes')).toMatchObject({
        level: 'error',
        names: [`${prefix}c.twice`],
      })
      expect(findings.get('unscoped path')).toMatchObject({ level: 'error' })
      const silent = [...findings.values()].filter(
        ({ level, advice }) => (level === 'fine') !== (advice === undefined),
      )
      expect(silent).toEqual([])
    } finally {
      await admin.query(`alter role current_user in database ${database.name} reset search_path`)
      await admin.query('drop table public.loans')
      await admin.query(`drop schema ${prefix}nobody; drop schema "${prefix}NOBODY"`)
    }
  })

  it('looks at a database that has nothing yet, by a configuration that says nothing', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'tenantry.config.mjs'), 'export default {}')
    const { admin, name, url } = database
    await admin.query(`alter role current_user in database ${name} set search_path = ''`)
    try {
      const { stdout, stderr } = await callBinary(['doctor'], {
        cwd: folder,
        env: { DATABASE_URL: url },
      })
      expect(stderr).toBe('')
      expect(stdout).toMatch(/^fine +unscoped path: without a scope, the path is empty$/m)
      expect(stdout).toMatch(/^fine +tenants without a schema: every tenant has its schema$/m)
    } finally {
      await admin.query(`alter role current_user in database ${name} reset search_path`)
    }
  })

  it('ends with 3 where schemas are behind or differ from their migrations', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await database.admin.query(`alter table ${prefix}a.loans add column extra int`)
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const { code, stdout } = await project.tenantry('doctor', '--json')
    expect(code).toBe(3)
    const findings = findingsOf(stdout)
    expect(findings.get('migrations')).toMatchObject({
      level: 'drift',
      names: [`${prefix}a`, `${prefix}b`],
    })
    expect(findings.get('drift')).toMatchObject({
      level: 'drift',
      names: [`${prefix}a`],
      details: [`${prefix}a  + column loans.extra integer`],
    })
    const { stdout: shown } = await project.tenantry('doctor')
    expect(shown).toMatch(new RegExp(`^ +${prefix}a  \\+ column loans\\.extra integer$`, 'm'))
  })

  it('says of migrations that cannot be run, and of many names only some', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix } = project
    await project.write('migrations/tenant/1_create_loans.sql', 'create table loans (amount text')
    const names = Array.from({ length: 12 }, (_, at) => `${prefix}nobody${at}`)
    await database.admin.query(names.map((name) => `create schema ${name}`).join(';'))
    try {
      const { code, stdout } = await project.tenantry('doctor')
      expect(code).toBe(1)
      expect(stdout).toMatch(/^warning +schemas without a tenant: .* and 2 more$/m)
      expect(stdout).toMatch(/^error +migrations: these schemas cannot be migrated as they are/m)
      expect(stdout).toMatch(/^fine +drift: every schema that can be compared is what/m)
    } finally {
      await database.admin.query(names.map((name) => `drop schema ${name}`).join(';'))
    }
  })

  it('finds rights that are missing', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix, shared } = project
    const role = `${database.name}_weak`
    await database.admin.query(`create role ${role} login password 'hush-hush'`)
    try {
      await database.admin.query(
        `grant usage on schema ${shared} to ${role}; grant select on all tables in schema ${shared} to ${role}`,
      )
      const url = new URL(database.url)
      url.username = role
      url.password = 'hush-hush'
      const { code, stdout, stderr } = await callBinary(['doctor', '--json', '--no-drift'], {
        cwd: project.folder,
        env: { DATABASE_URL: url.href },
      })
      expect(code).toBe(1)
      const findings = findingsOf(stdout)
      expect(findings.get('right to create')).toMatchObject({ level: 'error' })
      expect(findings.get('owner of schemas')?.names).toContain(`${prefix}a`)
      expect(stdout + stderr).not.toContain('hush-hush')
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })

  it('needs no schemas in the configuration', async () => {
    const project = await openFleet(database, [])
    await project.write('tenantry.config.ts', 'export default {}')
    const bare = await callBinary(['doctor', '--json'], {
      cwd: project.folder,
      env: { DATABASE_URL: 'postgres://me@127.0.0.1:1/none' },
    })
    expect(JSON.parse(bare.stdout)).toMatchObject([{ check: 'connection', level: 'error' }])
  })

  it('says what is wrong where nothing can be reached', async () => {
    const project = await openFleet(database, [])
    const { code, stdout } = await callBinary(['doctor', '--json'], {
      cwd: project.folder,
      env: { DATABASE_URL: 'postgres://me:hush-hush@127.0.0.1:1/none' },
    })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([{ check: 'connection', level: 'error' }])
    expect(stdout).not.toContain('hush-hush')
  })
})
