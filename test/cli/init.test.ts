import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary, type CallResult } from './binary.js'
import { linesOf, temporaryFolder } from './project.js'
import { HAS_TERMINAL, callInTerminal } from './terminal.js'

const database = useDatabase()

beforeAll(buildBinary)

function callIn(cwd: string, ...args: readonly string[]): Promise<CallResult> {
  return callBinary(args, { cwd, env: { DATABASE_URL: database.url } })
}

describe('tenantry init', () => {
  it('writes a project with which every other command works', async () => {
    const folder = await temporaryFolder()
    expect(await callIn(folder, 'init', '--yes')).toMatchObject({ code: 0, stderr: '' })

    const migrated = await callIn(folder, 'migrate')
    expect(migrated).toMatchObject({ code: 0, stderr: '' })
    expect(migrated.stdout).toMatch(/^public +migrated {2}1 migration {2}\d+ ms\nmain +migrated/)

    const created = await callIn(folder, 'tenant', 'create', 'acme', '--domain', 'acme.example.com')
    expect(created).toMatchObject({ code: 0, stderr: '' })
    expect(created.stdout).toMatch(/^tenant_acme {2}created {2}acme\.example\.com/)

    const status = await callIn(folder, 'status')
    expect(status).toMatchObject({ code: 0, stderr: '' })
    expect(status.stdout).toContain('3 schemas: 3 current')

    const sql = "insert into customers (name) values ('Ada') returning id, name"
    const ran = await callIn(folder, 'run', '-e', sql, '-s', 'acme')
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^tenant_acme +id=1 name=Ada\n$/)
  })

  it('writes the reverse of each migration', async () => {
    const folder = await temporaryFolder()
    await callIn(folder, 'init', '--yes')
    for (const kind of ['public', 'main', 'tenant']) {
      const files = await readdir(join(folder, 'migrations', kind))
      const [first] = files
      expect(files).toEqual([expect.stringMatching(/^1_create_\w+\.sql$/), 'down'])
      expect(await readdir(join(folder, 'migrations', kind, 'down'))).toEqual([first])
    }
  })

  it('overwrites nothing, and says what it left', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'tenantry.config.mjs'), 'export default {}')
    const first = await callIn(folder, 'init')
    expect(first.stdout).toContain('left     tenantry.config.mjs (is there already)')
    expect(await readFile(join(folder, 'tenantry.config.mjs'), 'utf8')).toBe('export default {}')
    expect(await readdir(folder)).not.toContain('tenantry.config.ts')

    const second = await callIn(folder, 'init')
    expect(second.code).toBe(0)
    expect(linesOf(second.stdout)).toEqual([
      'left     tenantry.config.mjs (is there already)',
      'left     migrations/public (is not empty)',
      'left     migrations/main (is not empty)',
      'left     migrations/tenant (is not empty)',
    ])
  })
})

describe('tenantry tenant', () => {
  it('lists tenants for people and for machines', async () => {
    const folder = await temporaryFolder()
    await callIn(folder, 'init', '--yes')
    await callIn(folder, 'migrate')
    await callIn(folder, 'tenant', 'create', 'bolt', '--name', 'Bolt Credit')

    const shown = await callIn(folder, 'tenant', 'list')
    expect(shown.stdout).toMatch(/^bolt +tenant_bolt +active +Bolt Credit$/m)

    const listed = await callIn(folder, 'tenant', 'list', '--json')
    expect(JSON.parse(listed.stdout)).toContainEqual(
      expect.objectContaining({ slug: 'bolt', schema: 'tenant_bolt', name: 'Bolt Credit' }),
    )
    expect(listed.stderr).toContain('Bolt Credit')
  })

  it('creates a tenant with several domains, the first one primary', async () => {
    const folder = await temporaryFolder()
    await callIn(folder, 'init', '--yes')
    await callIn(folder, 'migrate')
    await callIn(
      folder,
      'tenant',
      'create',
      'core',
      '--domain',
      'a.test',
      'b.test',
      '--domain',
      'c.test',
    )
    const { rows } = await database.admin.query(
      'select host, is_primary from tenantry_domains order by host',
    )
    expect(rows.filter(({ host }) => String(host).endsWith('.test'))).toEqual([
      { host: 'a.test', is_primary: true },
      { host: 'b.test', is_primary: false },
      { host: 'c.test', is_primary: false },
    ])
  })

  it('refuses a slug that breaks the rules as wrong usage, and one that is taken as a failure', async () => {
    const folder = await temporaryFolder()
    await callIn(folder, 'init', '--yes')
    const invalid = await callIn(folder, 'tenant', 'create', 'No Good')
    expect(invalid.code).toBe(2)
    expect(invalid.stderr).toMatch(/^NAME_INVALID: /)
    await callIn(folder, 'migrate')
    await callIn(folder, 'tenant', 'create', 'twice')
    const taken = await callIn(folder, 'tenant', 'create', 'twice')
    expect(taken.code).toBe(1)
    expect(taken.stderr).toMatch(/^TENANT_EXISTS: /)
  })

  it.skipIf(!HAS_TERMINAL)('asks a person first, who may not want the files', async () => {
    const cwd = await temporaryFolder()
    const ask = (keys: string) =>
      callInTerminal(['init'], [{ after: 'Write these files? [Y/n]', keys }], { cwd, env: {} })
    const refused = await ask('n\r')
    expect(refused).toMatchObject({
      code: 0,
      screen: expect.stringContaining('Nothing was written.'),
    })
    expect(await readdir(cwd)).toEqual([])
    const accepted = await ask('\r')
    expect(accepted).toMatchObject({ code: 0, screen: expect.stringContaining('Next: tenantry') })
    expect((await readdir(cwd)).toSorted()).toEqual(['migrations', 'tenantry.config.ts'])
  })

  it('fails where a file stands in the way of a folder', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'migrations'), '')
    const { code, stderr } = await callIn(folder, 'init', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOTDIR') })
    expect(await readdir(folder)).toEqual(['migrations'])
  })
})
