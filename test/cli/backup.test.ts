import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

/** Whether a `pg_dump` is there that can read the server; else tests are left out. */
async function hasPgDump(): Promise<boolean> {
  const { rows } = await database.admin.query<{ version: string }>(
    `select current_setting('server_version_num')::int / 10000 as version`,
  )
  const { stdout } = await promisify(execFile)('pg_dump', ['--version']).catch(() => ({
    stdout: '',
  }))
  const [, major = '0'] = /\) (\d+)/.exec(stdout) ?? []
  return Number(major) >= Number(rows[0]?.version)
}

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
  it('let pg_dump write the archive, and know it again', async ({ skip }) => {
    const project = await openFleet(database, ['a'])
    const file = join(project.folder, 'a.dump')
    const dumped = ['backup', '-s', 'a', '-o', file, '--engine', 'pg_dump']
    if (!(await hasPgDump())) {
      expect(await project.tenantry(...dumped)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^PG_DUMP_UNFIT: /) as string,
      })
      skip('There is no pg_dump of the version of the server.')
    }
    expect(await project.tenantry(...dumped)).toMatchObject({ code: 0 })
    const beside = await project.tenantry('restore', file, '--as', 'b')
    expect(beside.stdout).toMatch(new RegExp(`^${project.prefix}b  restored `))
    await rm(`${file}.json`)
    const { stdout } = await project.tenantry('restore', file, '--as', 'c')
    expect(stdout).toContain(`${project.prefix}c  not compared`)
  })
})
