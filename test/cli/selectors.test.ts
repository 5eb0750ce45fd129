import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet, openProject, type Project } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

async function whowill(project: Project, ...flags: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await project.tenantry('whowill', ...flags)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return linesOf(stdout)
}

describe('tenantry whowill', () => {
  it('understands every selector flag', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { shared, main, prefix } = project
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`]
    const forms: readonly (readonly [flags: string, names: readonly string[]])[] = [
      ['', [shared, main, a, b, c]],
      ['-as', [shared, main, a, b, c]],
      ['-ss', [shared, main]],
      ['-ds', [a, b, c]],
      ['--dynamic-schemas', [a, b, c]],
      ['-s a b', [a, b]],
      ['-s a -s b', [a, b]],
      [`-s ${c} --schema ${main}`, [main, c]],
      ['-as -x a', [shared, main, b, c]],
      [`-ds --exclude-schema ${a} b`, [c]],
      ['-x a -x b -x c', [shared, main]],
      ['--static-schemas -s b', [shared, main, b]],
      ['-ds --parallel', [a, b, c]],
      ['--parallel 2 -ss --all-schemas', [shared, main, a, b, c]],
    ]
    const found = await Promise.all(
      forms.map(async ([flags]) => [
        flags,
        await whowill(project, ...flags.split(' ').filter(Boolean)),
      ]),
    )
    expect(found).toEqual(forms)
  })

  it('narrows by status, metadata, pending migrations and number', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { shared, main, prefix } = project
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`]
    await database.admin.query(
      `update ${shared}.tenantry_tenants set metadata = '{"plan": "pro", "seats": 5}' where slug <> 'c';
       update ${shared}.tenantry_tenants set status = 'suspended' where slug = 'b'`,
    )
    await project.write('migrations/tenant/2_fees.sql', 'create table fees ();')
    expect((await project.tenantry('migrate', '-s', 'a')).code).toBe(0)
    const forms: readonly (readonly [flags: string, names: readonly string[]])[] = [
      ['--status active', [a, c]],
      ['--status active suspended', [a, b, c]],
      ['-ds --status suspended', [b]],
      ['--where plan=pro', [a, b]],
      ['--where seats=5 --where plan=pro --status active', [a]],
      ['--where seats=6', []],
      ['--behind', [b, c]],
      ['-s a b --behind', [b]],
      ['-ds --behind -x b', [c]],
      ['-ds --limit 1', [b]],
      ['--limit 2', [shared, main, b, c]],
      ['-s a b --limit=5', [a, b]],
      ['--behind --limit 1 -x b', [c]],
    ]
    const found = await Promise.all(
      forms.map(async ([flags]) => [flags, await whowill(project, ...flags.split(' '))]),
    )
    expect(found).toEqual(forms)
    for (const flags of ['--status asleep', '--where plan', '--limit 0', '--limit some']) {
      const { code } = await project.tenantry('whowill', ...flags.split(' '))
      expect([flags, code]).toEqual([flags, 2])
    }
  })

  it('creates nothing, also in a database that has nothing yet', async () => {
    const project = await openProject(database)
    const schemas = 'select nspname from pg_namespace order by nspname'
    const before = await database.admin.query(schemas)
    expect(await whowill(project, '-as')).toEqual([project.shared, project.main])
    expect(await whowill(project, '-ds')).toEqual([])
    expect((await database.admin.query(schemas)).rows).toEqual(before.rows)
  })

  it('writes one document with --json', async () => {
    const project = await openFleet(database, ['a'])
    const { stdout } = await project.tenantry('whowill', '-ds', '--json')
    expect(JSON.parse(stdout)).toEqual([`${project.prefix}a`])
  })

  it('refuses a name that it does not know, and says which are close', async () => {
    const project = await openFleet(database, ['acme'])
    for (const flags of [
      ['-s', 'acm'],
      ['-as', '-x', 'acm'],
    ]) {
      const { code, stdout, stderr } = await project.tenantry('whowill', ...flags)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^SELECTOR_UNKNOWN: .*"acm"/)
      expect(stderr).toContain(`${project.prefix}acme`)
    }
  })
})
