import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { linesOf, openProject, temporaryFolder } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('tenantry lint', () => {
  it('ends with 1 and names the place when a tenants’ migration has an error', async () => {
    const project = await openProject(database)
    await project.write('migrations/tenant/2_notes.sql', '\ncreate table public.notes (note text);')
    const { code, stdout, stderr } = await project.tenantry('lint')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^migrations\/tenant\/2_notes\.sql:2:14 error qualified-name: This /),
      '1 finding: 1 error',
    ])
  })

  it('ends with 0 on warnings, and allows what the path and --allow name', async () => {
    const project = await openProject(database)
    await project.write(
      'migrations/tenant/2_view.sql',
      `create view v as select rate from ${project.shared}.rates, reports.totals;`,
    )
    const { code, stdout } = await project.tenantry('lint', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        rule: 'qualified-name',
        level: 'warning',
        migration: '2_view.sql',
      }),
    ])
    const allowed = await project.tenantry('lint', '--allow', 'reports')
    expect(allowed).toEqual({ code: 0, stdout: '0 findings\n', stderr: '' })
  })

  it('lets migrations write where the guard of the configuration lets them', async () => {
    const project = await openProject(database)
    await project.write('migrations/tenant/2_note.sql', 'insert into reports.notes values (1);')
    expect((await project.tenantry('lint')).code).toBe(1)
    await project.write(
      'tenantry.config.ts',
      `export default {
        schemas: { tenants: { migrations: 'migrations/tenant' } }, guard: { allow: ['reports'] },
      }`,
    )
    const allowed = await project.tenantry('lint')
    expect(allowed).toEqual({ code: 0, stdout: '0 findings\n', stderr: '' })
  })

  it('lints a directory without a configuration or a database', async () => {
    const cwd = await temporaryFolder()
    const { code, stderr } = await callBinary(['lint', '.'], { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const none = await callBinary(['lint'], { cwd })
    expect(none.code).toBe(2)
  })

  it('takes the migrations of the configuration in any form, and says what it cannot look at', async () => {
    const project = await openProject(database)
    await project.write('migrations/tenant/2_notes.sql', 'create table public.notes (note text);')
    const configured = (tenants: string): Promise<void> =>
      project.write(
        'tenantry.config.ts',
        `import { directory } from 'tenantry/migrate'
         export default { schemas: { tenants: ${tenants} } }`,
      )
    await configured("{ migrations: directory('migrations/tenant') }")
    expect(await project.tenantry('lint')).toMatchObject({ code: 1, stderr: '' })
    await configured('{}')
    const none = await project.tenantry('lint')
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(none.stderr).toMatch(/^OPTIONS_INVALID: .* no migrations for tenants\. .*<directory>/)
    await configured(
      "{ migrations: { kind: 'bridge', origin: 'A tool', pending: async () => [], up: async () => [] } }",
    )
    const bridged = await project.tenantry('lint')
    expect(bridged).toMatchObject({ code: 2, stdout: '' })
    expect(bridged.stderr).toMatch(/^OPTIONS_INVALID: A tool keeps the migrations/)
  })
})
