import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { openFleet, openProject } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('tenantry status', () => {
  it('ends with 3 while something is pending, and with 0 afterwards', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const pending = await project.tenantry('status')
    expect(pending).toMatchObject({ code: 3, stderr: '' })
    expect(pending.stdout).toMatch(
      new RegExp(`^${project.prefix}a +tenant +1 +pending: 2_notes\\.sql$`, 'm'),
    )
    expect(pending.stdout).toContain('3 schemas: 2 current, 1 pending')
    expect((await project.tenantry('status', '-ss')).code).toBe(0)
    await project.write('migrations/tenant/3_fees.sql', 'create table fees (fee int);')
    expect((await project.tenantry('status')).stdout).toContain('pending: 2_notes.sql and 1 more')
    await project.tenantry('migrate')
    expect((await project.tenantry('status')).code).toBe(0)
  })

  it('is not about what is excluded, by slug or by schema', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix } = project
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await project.tenantry('migrate', '-s', 'b')
    const tenants = async (...flags: readonly string[]): Promise<unknown> => {
      const { code, stdout } = await project.tenantry('status', '-ds', '--json', ...flags)
      return { code, tenants: JSON.parse(stdout).map(({ tenant }: { tenant: string }) => tenant) }
    }
    expect(await tenants('-x', 'a', `${prefix}c`)).toEqual({ code: 0, tenants: ['b'] })
    expect(await tenants('--exclude-schema', 'a')).toEqual({ code: 3, tenants: ['b', 'c'] })
    expect(await project.tenantry('status', '-x', 'nobody')).toMatchObject({ code: 2, stdout: '' })
  })

  it('counts schemas that are not made yet as pending, and makes none', async () => {
    const project = await openProject(database)
    const { code, stdout } = await project.tenantry('status', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual([
      {
        schema: project.shared,
        kind: 'shared',
        exists: false,
        version: 0,
        applied: [],
        pending: ['1_create_rates.sql'],
        tampered: [],
        unknown: [],
      },
      {
        schema: project.main,
        kind: 'static',
        exists: false,
        version: 0,
        applied: [],
        pending: ['1_create_users.sql'],
        tampered: [],
        unknown: [],
      },
    ])
  })

  it('ends with 1 where a migration will not help', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write('migrations/tenant/1_create_loans.sql', 'create table loans (amount text);')
    const { code, stdout, stderr } = await project.tenantry('status', '-ds', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([
      { tenant: 'a', problem: { code: 'MIGRATION_TAMPERED' } },
      { tenant: 'b', problem: { code: 'MIGRATION_TAMPERED' } },
    ])
    expect(stderr).toContain('2 schemas: 2 broken')
  })

  it('names a tenant whose schema is gone', async () => {
    const project = await openFleet(database, ['a'])
    await database.admin.query(`drop schema ${project.prefix}a cascade`)
    const { code, stdout } = await project.tenantry('status', '-ds')
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`^${project.prefix}a +tenant +0 +missing`, 'm'))
  })
})
