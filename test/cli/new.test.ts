import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { linesOf, openProject } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

describe('tenantry new', () => {
  it('writes the next migration of a set with its reverse, and a name that is safe', async () => {
    const project = await openProject(database)
    const { code, stdout } = await project.tenantry('new', 'tenants', 'Añadir  Fees; drop/../x')
    expect(code).toBe(0)
    expect(linesOf(stdout)).toEqual([
      'written  migrations/tenant/2_anadir_fees_drop_x.sql',
      'written  migrations/tenant/down/2_anadir_fees_drop_x.sql',
    ])
    const names = await readdir(join(project.folder, 'migrations/tenant'))
    expect(names.toSorted()).toEqual(['1_create_loans.sql', '2_anadir_fees_drop_x.sql', 'down'])
  })

  it('numbers and spells as the folder does', async () => {
    const project = await openProject(database)
    await project.write('migrations/wide/0001-first.sql', 'select 1;')
    await project.write('migrations/wide/0002-second.sql', 'select 1;')
    const config = await readFile(join(project.folder, 'tenantry.config.ts'), 'utf8')
    await project.write('tenantry.config.ts', config.replace('migrations/main', 'migrations/wide'))
    const wanted = [
      { set: project.main, name: 'more rates', file: '0003-more-rates.sql' },
      { set: 'static', name: 'other rates', file: '0004-other-rates.sql' },
    ]
    for (const { set, name, file } of wanted) {
      const { code, stdout } = await project.tenantry('new', set, name, '--json')
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toEqual({
        file: `migrations/wide/${file}`,
        down: `migrations/wide/down/${file}`,
      })
    }
  })

  it('makes the folder where there is none, and leaves the caller’s folder alone', async () => {
    const project = await openProject(database)
    await project.write(
      'tenantry.config.ts',
      "export default { schemas: { shared: { migrations: 'sql' } } }",
    )
    await project.write('deep/er/x.txt', '')
    const deep = join(project.folder, 'deep/er')
    expect(await callBinary(['new', 'shared', 'first'], { cwd: deep })).toMatchObject({ code: 0 })
    expect(await readdir(join(project.folder, 'sql'))).toEqual(['1_first.sql', 'down'])
  })

  it('overwrites nothing', async () => {
    const project = await openProject(database)
    await project.write('migrations/tenant/down/2_fees.sql', 'drop table fees;')
    const { code, stderr } = await project.tenantry('new', 'tenants', 'fees')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^OPTIONS_INVALID: migrations\/tenant\/down\/2_fees\.sql is there already/,
    )
    expect(await readdir(join(project.folder, 'migrations/tenant'))).not.toContain('2_fees.sql')
  })

  it.each([
    ['nobody', 'fees', /"nobody"/],
    ['tenants', '…', /letters or digits/],
    ['shared', 'fees', /not in a plain folder/],
  ])('refuses %s %s', async (set, name, sentence) => {
    const project = await openProject(database)
    await project.write(
      'tenantry.config.ts',
      `import { code } from 'tenantry/migrate'
       export default { schemas: { shared: { migrations: code([]) }, tenants: { migrations: 'migrations/tenant' } } }`,
    )
    const { code, stderr } = await project.tenantry('new', set, name)
    expect(code).toBe(2)
    expect(stderr).toMatch(sentence)
  })

  it('writes no second migration of one name', async () => {
    const project = await openProject(database)
    expect((await project.tenantry('new', 'tenants', 'add fees')).code).toBe(0)
    const { code, stderr } = await project.tenantry('new', 'tenants', 'Add-Fees')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^OPTIONS_INVALID: 2_add_fees\.sql is called "add_fees" already/)
    expect((await project.tenantry('plan')).code).toBe(3)
  })

  it('writes nothing into a set that has a gap', async () => {
    const project = await openProject(database)
    await project.write('migrations/tenant/3_gap.sql', 'select 1;')
    const { code, stderr } = await project.tenantry('new', 'tenants', 'fees')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^MIGRATION_SOURCE_INVALID: /)
  })

  it('writes nothing where no plain folder is', async () => {
    const project = await openProject(database)
    await project.write(
      'tenantry.config.ts',
      `import { directory } from 'tenantry/migrate'
       const foreign = { origin: 'A tool', load: async () => [] }
       const migrations = directory('migrations/tenant')
       export default { schemas: { shared: {}, static: { main: { migrations: foreign } }, tenants: { migrations } } }`,
    )
    const none = await project.tenantry('new', 'shared', 'rates')
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(none.stderr).toMatch(/^OPTIONS_INVALID: .* no migrations for shared/)
    const foreign = await project.tenantry('new', 'main', 'users')
    expect(foreign).toMatchObject({ code: 2, stdout: '' })
    expect(foreign.stderr).toMatch(/^OPTIONS_INVALID: .*not in a plain folder \(A tool\)/)
    // What directory() reads is a plain folder.
    expect(await project.tenantry('new', 'tenants', 'notes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('migrations/tenant/2_notes.sql') as string,
    })
  })
})
