import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { linesOf, openProject, type Project } from './project.js'

const PG = fileURLToPath(import.meta.resolve('pg'))
const database = useDatabase()

beforeAll(buildBinary)

/** A project whose configuration is `text` in the file `name`. */
async function projectWith(name: string, text: string): Promise<Project> {
  const project = await openProject(database)
  await project.write('tenantry.config.ts', 'throw new Error("not this one")')
  await project.write(name, text)
  return project
}

describe('the configuration', () => {
  it.each([
    ['service.ts', "export default { schemas: { shared: { name: 'configured' as string } } }"],
    ['service.mts', "export default { schemas: { shared: { name: 'configured' } } }"],
    ['service.mjs', "export default { schemas: { shared: { name: 'configured' } } }"],
    ['service.cjs', "module.exports = { schemas: { shared: { name: 'configured' } } }"],
    ['service.js', "module.exports = { schemas: { shared: { name: 'configured' } } }"],
  ])('is loaded from %s', async (name, text) => {
    const project = await projectWith(name, text)
    const { stdout } = await project.tenantry('whowill', '-as', '--config', name)
    expect(linesOf(stdout)).toEqual(['configured'])
  })

  it('is found from a folder below, and its paths begin where it is', async () => {
    const project = await openProject(database)
    const below = join(project.folder, 'src/deep')
    await mkdir(below, { recursive: true })
    const env = { DATABASE_URL: database.url }
    const { code, stdout } = await callBinary(['migrate'], { cwd: below, env })
    expect(code).toBe(0)
    expect(stdout).toContain('2 migrated')
  })

  it('gets the functions of the package without an installed copy', async () => {
    const project = await projectWith(
      'service.ts',
      `import { defineConfig } from 'tenantry'
       import { directory } from 'tenantry/migrate'
       export default defineConfig({
         schemas: { shared: { name: 'by_source', migrations: directory('migrations/public') } },
       })`,
    )
    const { code, stdout } = await project.tenantry('migrate', '-ss', '--config', 'service.ts')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^by_source +migrated {2}1 migration/)
  })

  it('may bring a pool of its own, which is closed at the end', async () => {
    const project = await projectWith(
      'service.mjs',
      `import pg from ${JSON.stringify(PG)}
       export default {
         pool: new pg.Pool({ connectionString: ${JSON.stringify(database.url)} }),
         schemas: { shared: { name: 'pooled' } },
       }`,
    )
    const { code, stdout } = await callBinary(['whowill', '-as', '--config', 'service.mjs'], {
      cwd: project.folder,
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pooled\n' })
  })

  it('yields to --database-url', async () => {
    const project = await projectWith(
      'service.mjs',
      "export default { connectionString: 'postgres://localhost:1/none', schemas: {} }",
    )
    const args = ['whowill', '-as', '--config', 'service.mjs']
    expect((await project.tenantry(...args)).code).toBe(1)
    expect((await project.tenantry(...args, '--database-url', database.url)).code).toBe(0)
  })

  it.each([
    ['no object', 'export default 7', 'CONFIG_INVALID'],
    ['not exported', 'export const config = {}', 'CONFIG_INVALID'],
    ['a list', 'export default []', 'CONFIG_INVALID'],
    ['no module', "module.exports = 'words'", 'CONFIG_INVALID'],
    ['a thrown word', "throw 'no'", 'CONFIG_INVALID'],
    ['no TypeScript', 'export default {', 'CONFIG_INVALID'],
    ['broken', "import 'no-such-package'; export default {}", 'CONFIG_INVALID'],
    [
      'with a wrong option',
      "export default { schemas: { shared: { name: 'A B' } } }",
      'NAME_INVALID',
    ],
    ['with a wrong pool', 'export default { connectionString: 7 }', 'OPTIONS_INVALID'],
  ])('is refused when it is %s', async (_, text, code) => {
    const project = await projectWith('service.ts', text)
    const result = await project.tenantry('whowill', '-as', '--config', 'service.ts')
    expect(result).toMatchObject({ code: 2, stdout: '' })
    expect(linesOf(result.stderr)).toEqual([expect.stringMatching(new RegExp(`^${code}: `))])
  })

  it('is asked for when there is none', async () => {
    const project = await openProject(database)
    const missing = await project.tenantry('whowill', '-as', '--config', 'missing.ts')
    expect(missing).toMatchObject({ code: 2, stdout: '' })
    const none = await callBinary(['status'], { cwd: '/' })
    expect(none.code).toBe(2)
    expect(none.stderr).toMatch(/^CONFIG_INVALID: .*tenantry init/)
  })
})
