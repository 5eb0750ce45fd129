import { rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { findSystemPostgres, useSystemServer } from '../support/system-postgres.js'
import { buildBinary } from './binary.js'
import { openFleet } from './project.js'

const system = await findSystemPostgres()
const database = useDatabase(await useSystemServer(system))

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

describe.skipIf(system === undefined)('tenantry backup --engine pg_dump', () => {
  it('has pg_dump write the archive, which tenantry restore knows again', async () => {
    const programs = dirname(system?.program('pg_dump') ?? '')
    vi.stubEnv('PATH', `${programs}${delimiter}${process.env['PATH'] ?? ''}`)
    const project = await openFleet(database, ['a'])
    const file = join(project.folder, 'a.dump')
    const dumped = ['backup', '-s', 'a', '-o', file, '--engine', 'pg_dump']
    const backedUp = await project.tenantry(...dumped)
    expect(backedUp).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\w+a {2}backed up/) as string,
    })
    const beside = await project.tenantry('restore', file, '--as', 'b')
    expect(beside.stdout).toMatch(new RegExp(`^${project.prefix}b  restored `))
    await rm(`${file}.json`)
    const { stdout } = await project.tenantry('restore', file, '--as', 'c')
    expect(stdout).toContain(`${project.prefix}c  not compared`)
    vi.stubEnv('PATH', '/nowhere')
    const missing = await project.tenantry(...dumped)
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^PG_DUMP_UNFIT: /) as string,
    })
  })
})
