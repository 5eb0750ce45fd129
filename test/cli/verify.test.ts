import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('tenantry verify', () => {
  it('ends with 0 when every schema is what its migrations make', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { code, stdout, stderr } = await project.tenantry('verify')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('4 schemas: 4 as migrated\n')
  })

  it('ends with 3 and shows what differs', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const schema = `${project.prefix}b`
    await database.admin.query(`alter table ${schema}.loans alter amount type text, add note text`)
    const { code, stdout, stderr } = await project.tenantry('verify', '-ds')
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(stdout).toBe(
      `${schema} differs from its migrations up to 1:\n` +
        '  ~ column loans.amount: integer → text\n' +
        '  + column loans.note text\n' +
        '2 schemas: 1 as migrated, 1 with drift\n',
    )
    expect((await project.tenantry('verify', '-s', 'a')).code).toBe(0)
  })

  it('does not compare what is excluded, by slug or by schema', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix } = project
    await database.admin.query(`drop table ${prefix}b.loans`)
    const others = await project.tenantry('verify', '-ds', '-x', `${prefix}b`)
    expect(others).toMatchObject({ code: 0, stdout: '2 schemas: 2 as migrated\n' })
    const { code, stdout } = await project.tenantry('verify', '--exclude-schema', 'a', 'c')
    expect(code).toBe(3)
    expect(stdout).toContain(`${prefix}b differs`)
    expect(stdout).toContain('3 schemas: 2 as migrated, 1 with drift')
  })

  it('writes the report as one document', async () => {
    const project = await openFleet(database, ['a'])
    await database.admin.query(`drop table ${project.prefix}a.loans`)
    const { code, stdout, stderr } = await project.tenantry('verify', '-ds', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual({
      compared: 1,
      reference: { place: 'database' },
      findings: [
        {
          schema: `${project.prefix}a`,
          kind: 'tenant',
          tenant: 'a',
          code: 'SCHEMA_DRIFT',
          version: 1,
          differences: ['- table loans'],
        },
      ],
    })
    expect(stderr).toContain('1 schema: 1 with drift')
  })

  it('ends with 1 where a schema cannot be compared', async () => {
    const project = await openFleet(database, ['a'])
    await database.admin.query(`drop schema ${project.prefix}a cascade`)
    const { code, stdout } = await project.tenantry('verify', '-ds')
    expect(code).toBe(1)
    expect(stdout).toContain('SCHEMA_MISSING')
    expect(stdout).toContain('1 schema: 1 not compared')
  })
})

describe('tenantry migrate --verify', () => {
  it('ends with 3 and shows what differs, and the run stays done', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const schema = `${project.prefix}b`
    await database.admin.query(`alter table ${schema}.loans add note text`)
    await project.write('migrations/tenant/2_fees.sql', 'create table fees ();')
    const { code, stdout, stderr } = await project.tenantry('migrate', '-ds', '--verify', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({
      outcomes: [{ status: 'done' }, { status: 'done' }],
      verified: { compared: 2, findings: [{ schema, differences: ['+ column loans.note text'] }] },
    })
    expect(stderr).toContain(`${schema} differs from its migrations up to 2:`)
    expect(stderr).toMatch(/^SCHEMA_DRIFT: 1 of 2 schemas are not what their migrations make/m)
    const fine = await project.tenantry('migrate', '-s', 'a', '--verify')
    expect(fine).toMatchObject({ code: 0, stderr: '' })
    expect(fine.stdout).toContain('1 schema: 1 as migrated')
  })
})
