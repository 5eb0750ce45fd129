import { readdir } from 'node:fs/promises'
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

  it('write a folder of many tenants and restore it, and end with 1 if one fails', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix, folder } = project
    const backups = join(folder, 'backups')
    await database.admin.query(`alter table ${prefix}b.loans add by_hand int`)
    const drifted = await project.tenantry('backup', '-ds', '--parallel', '-x', 'c', '-o', backups)
    expect(drifted).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`1 backed up, 1 failed`) as string,
      stderr: expect.stringMatching(/^RUN_FAILED: /) as string,
    })
    await database.admin.query(`alter table ${prefix}b.loans drop by_hand`)
    const rest = await project.tenantry('backup', '-ds', '-o', backups, '--json')
    expect(rest.code).toBe(0)
    expect(JSON.parse(rest.stdout)).toMatchObject({
      outcomes: [
        { tenant: 'a', status: 'current' },
        { tenant: 'b', status: 'done' },
        { tenant: 'c', status: 'done' },
      ],
    })
    await database.admin.query(`drop schema ${prefix}c cascade`)
    await database.admin.query(`delete from ${project.shared}.tenantry_tenants where slug = 'c'`)
    const restored = await project.tenantry('restore', backups, '--skip-existing', '-q')
    expect(restored).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^3 schemas: 1 restored, 2 current in /) as string,
    })
  })

  it('have shared and static schemas in a folder, and bring back one that is lost', async () => {
    const project = await openFleet(database, ['a'])
    const { folder, main, shared } = project
    await database.admin.query(`insert into ${main}.users values ('Ada')`)
    const backups = join(folder, 'backups')
    const all = await project.tenantry('backup', '-as', '-o', backups)
    expect(all).toMatchObject({ code: 0, stderr: '' })
    const names = await readdir(backups)
    expect(names).toContain(`${main}.static.tenantry.gz`)
    expect(names).toContain(`${shared}.shared.tenantry.gz`)

    await database.admin.query(`drop schema ${main} cascade`)
    const without = await project.tenantry('backup', '-as', '-o', join(folder, 'later'))
    expect(without).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${main}  left out  it is not there`) as string,
    })
    const restored = await project.tenantry('restore', backups, '--skip-existing', '-q')
    expect(restored).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^3 schemas: 1 restored, 2 current in /) as string,
    })
    const { rows } = await database.admin.query(`select name from ${main}.users`)
    expect(rows).toEqual([{ name: 'Ada' }])
  })

  it('refuse a selection without schemas, one file for many, and a slug for a folder', async () => {
    const project = await openFleet(database, ['a'])
    const { folder } = project
    const calls: readonly (readonly string[])[] = [
      ['backup', '-o', 'backups/'],
      ['backup', '-ds', '-o', 'all.tenantry.gz'],
      ['restore', folder, '--as', 'b'],
      ['restore', folder, '--replace'],
      ['backup', '-s', 'a*', '-o', 'all.tenantry.gz'],
    ]
    for (const call of calls) {
      expect(await project.tenantry(...call), call.join(' ')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^OPTIONS_INVALID: /) as string,
      })
    }
  })
})
