import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { type Project, openFleet, temporaryFolder } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

async function documentOf(project: Project, ...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await project.tenantry(...args, '--json')
  expect({ args, code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}

describe('--json', () => {
  it('has of a tenant what is shown of it', async () => {
    const project = await openFleet(database, ['a'])
    await project.tenantry('domain', 'add', 'a', 'a.test')
    const schema = `${project.prefix}a`
    expect(await documentOf(project, 'tenant', 'show', 'a')).toMatchObject({
      slug: 'a',
      schema,
      status: 'active',
      domains: [{ host: 'a.test', primary: true }],
      migrations: { schema, version: 1, pending: [] },
    })
    expect(await documentOf(project, 'domain', 'list', 'a')).toMatchObject([{ host: 'a.test' }])
  })

  it('has the tenant that was renamed, cloned, deleted or purged', async () => {
    const project = await openFleet(database, ['a'])
    const { prefix } = project
    expect(await documentOf(project, 'tenant', 'rename', 'a', 'b')).toMatchObject({ slug: 'b' })
    const clone = ['tenant', 'clone', 'b', 'c', '--name', 'Copy']
    expect(await documentOf(project, ...clone)).toMatchObject({ slug: 'c', name: 'Copy' })
    expect(await documentOf(project, 'tenant', 'delete', 'c')).toMatchObject({ status: 'deleted' })
    const shown = await documentOf(project, 'tenant', 'show', 'c')
    expect(shown).toMatchObject({ slug: 'c', status: 'deleted', domains: [] })
    // Whoever is deleted is in no run, so there is nothing to say of its migrations.
    expect(shown).not.toHaveProperty('migrations')
    const lines = (await project.tenantry('tenant', 'show', 'c')).stdout
    expect(lines).not.toContain('migrations')
    const purged = await documentOf(project, 'tenant', 'purge', 'c', '--confirm', 'c')
    expect(purged).toMatchObject({ slug: 'c', schema: `${prefix}c` })
  })

  it('has the files that were written, and what was left alone', async () => {
    const cwd = await temporaryFolder()
    const init = async (): Promise<unknown> => {
      const { code, stdout } = await callBinary(['init', '--json'], { cwd })
      expect(code).toBe(0)
      return JSON.parse(stdout)
    }
    expect(await init()).toEqual({
      written: expect.arrayContaining(['tenantry.config.ts']) as unknown,
      left: [],
    })
    expect(await init()).toMatchObject({
      written: [],
      left: expect.arrayContaining(['tenantry.config.ts', 'migrations/tenant']) as unknown,
    })
  })

  it('has what a script returned, and null where that is nothing', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('word.mjs', "export default () => 'done'")
    await project.write('nothing.cjs', 'module.exports = async () => {}')
    const word = await documentOf(project, 'run', 'word.mjs', '-ds')
    expect(word).toMatchObject({ outcomes: [{ result: 'done' }] })
    const nothing = await documentOf(project, 'run', 'nothing.cjs', '-ds')
    expect(nothing).toMatchObject({ outcomes: [{ status: 'done', result: null }] })
    const silent = await project.tenantry('run', 'nothing.cjs', '-ds')
    expect(silent).toMatchObject({ code: 0, stdout: '' })
    const told = await project.tenantry('run', 'word.mjs', '-ds')
    expect(told.stdout).toMatch(/^\S+ +done\n$/)
  })
})
