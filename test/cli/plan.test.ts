import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

describe('tenantry plan', () => {
  it('says what would run where, changes nothing, and ends with 3 while something would', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const current = await project.tenantry('plan')
    expect(current).toMatchObject({ code: 0, stderr: '' })
    expect(current.stdout).toContain('4 schemas: 4 current')

    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await project.write('migrations/tenant/3_fees.sql', 'create table fees (fee int);')
    for (const call of [1, 2]) {
      const { code, stdout } = await project.tenantry('plan', '-ds', '-x', 'b')
      expect({ call, code }).toEqual({ call, code: 3 })
      expect(linesOf(stdout)).toEqual([
        expect.stringMatching(
          new RegExp(`^${project.prefix}a +to run {2}2_notes.sql, 3_fees.sql$`),
        ),
        '1 schema: 1 to migrate',
      ])
    }
  })

  it('goes as far as it is told, and writes one document with --json', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await project.write('migrations/tenant/3_fees.sql', 'create table fees (fee int);')
    const { code, stdout } = await project.tenantry('plan', '-ds', '--to', '2', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual([
      {
        schema: `${project.prefix}a`,
        kind: 'tenant',
        tenant: 'a',
        run: ['2_notes.sql'],
        atomic: true,
      },
    ])
    const migrated = await project.tenantry('migrate', '-ds', '--to', '2_notes.sql')
    expect(migrated.stdout).toMatch(/migrated {2}1 migration/)
  })

  it('ends with 1 where a migration was changed after it ran', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/1_create_loans.sql', 'create table loans (amount text);')
    const { code, stdout } = await project.tenantry('plan', '-ds')
    expect(code).toBe(1)
    expect(stdout).toMatch(/broken {2}MIGRATION_TAMPERED: /)
    const machine = await project.tenantry('plan', '-ds', '--json')
    expect(JSON.parse(machine.stdout)).toMatchObject([
      { tenant: 'a', problem: { code: 'MIGRATION_TAMPERED' } },
    ])
  })

  it('says where not all can be in one transaction', async () => {
    const project = await openFleet(database, ['a'])
    await project.write(
      'migrations/tenant/2_index.sql',
      '-- postgres-migrations disable-transaction\ncreate index concurrently amounts on loans (amount);',
    )
    const { stdout } = await project.tenantry('plan', '-ds')
    expect(stdout).toMatch(/to run {2}2_index\.sql {2}\(not in one transaction\)/)
  })
})
