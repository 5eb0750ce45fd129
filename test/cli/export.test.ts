import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { type Gate, shutGate } from '../lifecycle/crash.js'
import { useDatabase } from '../support/database.js'
import { type Call, buildBinary, settled, startBinary } from './binary.js'
import { type Project, openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

const WITH_FEES = { 'migrations/tenant/2_fees.sql': 'create table fees (amount int);' }

/** Starts an export of tenant a, and waits until it is in the middle. */
async function startedAtGate({ folder, prefix }: Project): Promise<{ call: Call; gate: Gate }> {
  const gate = await shutGate(database, `lock table ${prefix}a.loans`)
  const args = ['export', '-s', 'a', '-o', 'data', '--format', 'csv']
  const call = startBinary(args, { cwd: folder, env: { DATABASE_URL: database.url } })
  await gate.reached()
  return { call, gate }
}

/** The folder, or what there is of it. */
async function leftIn({ folder }: Project): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('data'))
}

describe('tenantry export', () => {
  it('writes a folder with a file for each table', async () => {
    const project = await openFleet(database, ['a'], WITH_FEES)
    const { prefix, folder } = project
    await database.admin.query(`insert into ${prefix}a.loans values (7), (null)`)
    const args = ['export', '-s', 'a', '-o', 'data/', '--format']
    const exported = await project.tenantry(...args, 'ndjson', '--except', 'fees', '--json')
    expect(exported.code).toBe(0)
    expect(JSON.parse(exported.stdout)).toEqual({
      tenant: 'a',
      schema: `${prefix}a`,
      folder: join(folder, 'data'),
      tables: 1,
      rows: 2,
      bytes: 29,
    })
    expect((await readdir(join(folder, 'data'))).toSorted()).toEqual([
      'loans.ndjson',
      'tenant.json',
    ])
    expect(await readFile(join(folder, 'data/loans.ndjson'), 'utf8')).toBe(
      '{"amount":7}\n{"amount":null}\n',
    )
    const told = await project.tenantry('export', '-s', 'a', '-o', 'csv', '--format', 'csv')
    expect(told).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${prefix}a  exported  2 rows of 2 tables`) as string,
    })
    expect(await readFile(join(folder, 'csv/loans.csv'), 'utf8')).toBe('amount\n7\n\n')
    expect(await project.tenantry(...args, 'csv')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not empty') as string,
    })
  })

  it('refuses what is no format, no table and no tenant', async () => {
    const project = await openFleet(database, ['a'])
    const args = ['export', '-o', 'data', '-s']
    const wrong: readonly (readonly [number, string, readonly string[]])[] = [
      [2, '--format', ['a', '--format', 'xlsx']],
      [2, '--format', ['a']],
      [2, 'Choose from loans', ['a', '--format', 'csv', '--except', 'loan']],
      [1, 'TENANT_NOT_FOUND', ['b', '--format', 'csv']],
    ]
    for (const [code, words, more] of wrong) {
      expect(await project.tenantry(...args, ...more)).toMatchObject({
        code,
        stderr: expect.stringContaining(words) as string,
      })
    }
    expect(await leftIn(project)).toEqual([])
  })

  it('leaves nothing when it is interrupted', async () => {
    const project = await openFleet(database, ['a'])
    const { call, gate } = await startedAtGate(project)
    call.kill('SIGINT')
    expect((await settled(call)).code).toBe(1)
    expect(await leftIn(project)).toEqual([])
    await gate.open()
  })

  it('leaves no folder of that name when it is killed, and can be called again', async () => {
    const project = await openFleet(database, ['a'])
    const { call, gate } = await startedAtGate(project)
    const backends = await gate.reached()
    call.kill('SIGKILL')
    await settled(call)
    await gate.open()
    // A backend that waits for a lock sees only afterwards that its client is gone.
    const running = async (): Promise<number> => {
      const text = 'select from pg_stat_activity where pid = any ($1)'
      return (await database.admin.query(text, [backends])).rows.length
    }
    await expect.poll(running, { timeout: 30_000 }).toBe(0)
    expect(await leftIn(project)).toEqual([expect.stringMatching(/^data\.part-[0-9a-f]{8}$/)])
    const again = await project.tenantry('export', '-s', 'a', '-o', 'data', '--format', 'csv')
    expect(again.code).toBe(0)
    expect(await leftIn(project)).toContain('data')
  })
})
