import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

describe('tenantry backup and tenantry restore', () => {
  it('write an archive, and restore it beside the tenant and in its place', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix } = project
    const file = join(project.folder, 'a.tenantry.gz')
    const backedUp = await project.tenantry('backup', '-s', 'a', '-o', file, '--json')
    expect(backedUp.code).toBe(0)
    expect(JSON.parse(backedUp.stdout)).toMatchObject({ tenant: 'a', schema: `${prefix}a` })

    expect(await project.tenantry('restore', file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^TENANT_EXISTS: /) as string,
    })
    const beside = await project.tenantry('restore', file, '--as', 'b')
    expect(beside).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${prefix}b  restored`) as string,
    })
    const { stdout } = await project.tenantry('restore', file, '--replace')
    expect(stdout).toMatch(
      new RegExp(`^${prefix}a_replaced_\\d{14}  kept .*\\n${prefix}a  restored `),
    )
  })
})
