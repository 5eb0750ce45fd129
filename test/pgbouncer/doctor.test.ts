import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'
import { buildBinary, callBinary } from '../cli/binary.js'
import { type Project, openFleet } from '../cli/project.js'

const program = await findPgBouncer()
const database = useDatabase()

beforeAll(buildBinary)

type Mode = 'transaction' | 'session' | 'statement'

/** What the doctor says of a PgBouncer in between. */
async function saidOf({ folder }: Project, mode: Mode): Promise<unknown> {
  if (program === undefined) throw new Error('There is no PgBouncer.')
  await using pooler = await startPgBouncer({ program, url: database.url, mode, size: 4 })
  const { stdout } = await callBinary(['doctor', '--json', '--no-drift'], {
    cwd: folder,
    env: { DATABASE_URL: pooler.url },
  })
  const findings = JSON.parse(stdout) as readonly { readonly check: string }[]
  return findings.find(({ check }) => check === 'pooler')
}

async function saySession(project: Project): Promise<void> {
  const text = await readFile(join(project.folder, 'tenantry.config.ts'), 'utf8')
  const changed = text.replace('defineConfig({', "defineConfig({\n  scope: { pooler: 'session' },")
  await project.write('tenantry.config.ts', changed)
}

describe.skipIf(program === undefined)('tenantry doctor behind PgBouncer', () => {
  it('knows transaction mode, and that the configuration must not call it session mode', async () => {
    const project = await openFleet(database, ['a'])
    expect(await saidOf(project, 'transaction')).toMatchObject({
      level: 'fine',
      message: 'a pooler in transaction mode in between',
    })
    await saySession(project)
    expect(await saidOf(project, 'transaction')).toMatchObject({
      level: 'error',
      advice: expect.stringContaining("Take scope: { pooler: 'session' } out") as string,
    })
  })

  it('knows session mode, and asks for it in the configuration', async () => {
    const project = await openFleet(database, ['a'])
    expect(await saidOf(project, 'session')).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining("scope: { pooler: 'session' }") as string,
    })
    await saySession(project)
    expect(await saidOf(project, 'session')).toMatchObject({ level: 'fine' })
  })

  it('refuses statement mode, in which nothing can be a transaction', async () => {
    const project = await openFleet(database, ['a'])
    expect(await saidOf(project, 'statement')).toMatchObject({
      level: 'error',
      advice: 'Set pool_mode = transaction for this database in the pooler.',
    })
  })
})
