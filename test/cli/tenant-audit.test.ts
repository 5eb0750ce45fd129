import type { AuditReport } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('tenantry tenant audit', () => {
  it('says that nothing is the matter', async () => {
    const project = await openFleet(database, ['acme'])
    const { code, stdout, stderr } = await project.tenantry('tenant', 'audit')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^1 tenant and \d+ schemas: 0 findings$/),
    ])
    await database.admin.query(`drop schema ${project.prefix}acme cascade`)
    await database.admin.query(`drop schema ${project.shared}, ${project.main} cascade`)
  })

  it('names what it finds and the repair, and ends with 3', async () => {
    const project = await openFleet(database, ['acme'])
    await database.admin.query(`alter schema ${project.prefix}acme rename to ${project.prefix}lost`)
    const { code, stdout } = await project.tenantry('tenant', 'audit')
    expect(code).toBe(3)
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^tenant-without-schema Tenant "acme" is active/),
      expect.stringMatching(/^ {2}Restore the schema/),
      expect.stringMatching(/^schema-without-tenant The schema/),
      expect.stringMatching(/^ {2}Look at what is in it/),
      expect.stringMatching(/: 2 findings$/),
    ])
    const machine = await project.tenantry('tenant', 'audit', '--json')
    expect(machine.code).toBe(3)
    const report = JSON.parse(machine.stdout) as AuditReport
    expect(report).toMatchObject({
      tenants: 1,
      findings: [
        { kind: 'tenant-without-schema', tenant: 'acme', status: 'active' },
        { kind: 'schema-without-tenant', schema: `${project.prefix}lost` },
      ],
    })
  })
})
