import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet, openProject, type Project } from './project.js'
import { HAS_TERMINAL, KEY, callInTerminal } from './terminal.js'

const database = useDatabase()

beforeAll(buildBinary)

async function whowill(project: Project, ...flags: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await project.tenantry('whowill', ...flags)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return linesOf(stdout)
}

type Form = readonly [flags: string, names: readonly string[]]

async function expectForms(project: Project, forms: readonly Form[]): Promise<void> {
  const found = await Promise.all(
    forms.map(async ([flags]) => [
      flags,
      await whowill(project, ...flags.split(' ').filter(Boolean)),
    ]),
  )
  expect(found).toEqual(forms)
}

describe('tenantry whowill', () => {
  it('understands every selector flag', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { shared, main, prefix } = project
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`]
    await expectForms(project, [
      ['-as', [shared, main, a, b, c]],
      ['-ss', [shared, main]],
      ['-ds', [a, b, c]],
      ['--dynamic-schemas', [a, b, c]],
      ['-s a b', [a, b]],
      ['-s a -s b', [a, b]],
      [`-s ${c} --schema ${main}`, [main, c]],
      ['-as -x a', [shared, main, b, c]],
      [`-ds --exclude-schema ${a} b`, [c]],
      ['-as -x a -x b -x c', [shared, main]],
      ['--static-schemas -s b', [shared, main, b]],
      ['-ds --parallel', [a, b, c]],
      ['--parallel 2 -ss --all-schemas', [shared, main, a, b, c]],
    ])
  })

  it('narrows by status and metadata', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { shared, prefix } = project
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`]
    await database.admin.query(
      `update ${shared}.tenantry_tenants set metadata = '{"plan": "pro", "seats": 5}' where slug <> 'c';
       update ${shared}.tenantry_tenants set status = 'suspended' where slug = 'b'`,
    )
    await expectForms(project, [
      ['--status active', [a, c]],
      ['--status active suspended', [a, b, c]],
      ['-ds --status suspended', [b]],
      ['--where plan=pro', [a, b]],
      ['--where seats=5 --where plan=pro --status active', [a]],
      ['--where seats=6', []],
    ])
  })

  it('narrows by pending migrations and number', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { shared, main, prefix } = project
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`]
    await project.write('migrations/tenant/2_fees.sql', 'create table fees ();')
    expect((await project.tenantry('migrate', '-s', 'a')).code).toBe(0)
    await expectForms(project, [
      ['--behind', [b, c]],
      ['-s a b --behind', [b]],
      ['-ds --behind -x b', [c]],
      ['-ds --limit 1', [b]],
      ['-as --limit 2', [shared, main, b, c]],
      ['-s a b --limit=5', [a, b]],
      ['--behind --limit 1 -x b', [c]],
    ])
  })

  it('refuses values that a flag cannot have', async () => {
    const project = await openProject(database)
    const flags = ['--status asleep', '--where plan', '--limit 0', '--limit some']
    const calls = await Promise.all(
      flags.map((each) => project.tenantry('whowill', ...each.split(' '))),
    )
    expect(calls.map(({ code }) => code)).toEqual([2, 2, 2, 2])
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

describe('a command without a selection', () => {
  it.each([['whowill'], ['run', '-e', 'select 1'], ['exec', '--', 'true'], ['redo']])(
    'is refused where nobody can be asked: %s',
    async (...args) => {
      const project = await openFleet(database, ['a'])
      const { code, stdout, stderr } = await project.tenantry(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^OPTIONS_INVALID: No schema is selected\. Say which: -s NAME, /)
    },
  )

  it('is refused also where it says only what is to be left alone', async () => {
    const project = await openFleet(database, ['a'])
    expect(await project.tenantry('whowill', '-x', 'a')).toMatchObject({ code: 2, stdout: '' })
  })

  it.each([['migrate'], ['plan'], ['status'], ['verify']])('is about all: %s', async (name) => {
    const project = await openFleet(database, ['a', 'b'])
    const { code, stdout } = await project.tenantry(name)
    expect(code).toBe(0)
    expect(stdout).toContain('4 schemas')
  })

  it.each(['plan', 'status', 'verify'])('leaves out of all what -x names: %s', async (name) => {
    const project = await openFleet(database, ['a', 'b'])
    await database.admin.query(`drop table ${project.prefix}a.loans`)
    const { code, stdout } = await project.tenantry(name, '-x', 'a')
    expect(code).toBe(0)
    expect(stdout).toContain('3 schemas')
    expect(stdout).not.toContain(`${project.prefix}a`)
  })

  it.runIf(HAS_TERMINAL)('asks on a terminal, also to name them only', async () => {
    const project = await openFleet(database, ['a'])
    const typed = [{ after: "in all tenants' schemas", keys: KEY.enter }]
    const options = { cwd: project.folder, env: { DATABASE_URL: database.url } }
    const { code, screen } = await callInTerminal(['whowill'], typed, options)
    expect(code).toBe(0)
    expect(screen).toContain('Where to look?')
    expect(screen).toContain(`${project.prefix}a`)
  })

  it.runIf(HAS_TERMINAL)(
    'takes each answer, and none where somebody has thought better',
    async () => {
      const project = await openFleet(database, ['a'])
      const { prefix, shared, main } = project
      const options = { cwd: project.folder, env: { DATABASE_URL: database.url } }
      const answer = async (
        keys: string,
      ): Promise<{ readonly code: number | null; readonly last: string }> => {
        const typed = [{ after: 'in some, by name', keys }]
        const { code, screen } = await callInTerminal(['whowill'], typed, options)
        return { code, last: screen.slice(screen.lastIndexOf('Where to look?')) }
      }
      const fixed = await answer(KEY.down + KEY.enter)
      expect(fixed.code).toBe(0)
      expect(fixed.last).toContain(shared)
      expect(fixed.last).toContain(main)
      expect(fixed.last).not.toContain(`${prefix}a`)
      const all = await answer(KEY.down + KEY.down + KEY.enter)
      expect(all.code).toBe(0)
      expect(all.last).toContain(main)
      expect(all.last).toContain(`${prefix}a`)
      const none = await answer(KEY.interrupt)
      expect(none.code).toBe(2)
      expect(none.last).toContain('Nothing was chosen, so nothing was done.')
      const unnamed = await callInTerminal(
        ['whowill'],
        [
          { after: 'in some, by name', keys: KEY.down.repeat(3) + KEY.enter },
          { after: 'Names, slugs, domains or globs', keys: KEY.enter },
          { after: 'Give at least one word.', keys: KEY.interrupt },
        ],
        options,
      )
      expect(unnamed.code).toBe(2)
    },
  )
})
