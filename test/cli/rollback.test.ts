import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, type CallResult } from './binary.js'
import { linesOf, openFleet, type Project } from './project.js'
import { HAS_TERMINAL, KEY, callInTerminal } from './terminal.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

/** A project whose tenants have had a second migration, with its reverse. */
async function openReversible(tenants: readonly string[]): Promise<Project> {
  return openFleet(database, tenants, {
    'migrations/tenant/2_notes.sql': 'create table notes (note text);',
    'migrations/tenant/down/2_notes.sql': 'drop table notes;',
    'migrations/tenant/down/1_create_loans.sql': 'drop table loans;',
  })
}

/** The newest migration of each tenant, as the ledgers have it. */
async function versions({ prefix }: Project, ...tenants: string[]): Promise<readonly number[]> {
  const maxima = tenants.map((slug) => `(select max(id) from ${prefix}${slug}.migrations)`)
  const { rows } = await database.admin.query<{ versions: number[] }>(
    `select array[${maxima.join(', ')}] as versions`,
  )
  return rows[0]?.versions ?? []
}

function expectUsage({ code, stdout, stderr }: CallResult, sentence: RegExp): void {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(linesOf(stderr)).toEqual([expect.stringMatching(sentence)])
}

describe('tenantry rollback', () => {
  it('takes the newest migration of the selected schemas back', async () => {
    const project = await openReversible(['a', 'b'])
    const { code, stdout } = await project.tenantry('rollback', '-s', 'a')
    expect(code).toBe(0)
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(new RegExp(`^${project.prefix}a +rolled back {2}1 migration`)),
      expect.stringMatching(/^1 schema: 1 rolled back/),
    ])
    expect(await versions(project, 'a', 'b')).toEqual([1, 2])
  })

  it('takes back as many steps as it is told, or all that came after a migration', async () => {
    const project = await openReversible(['a', 'b'])
    expect(await project.tenantry('rollback', '-s', 'a', '--steps', '2')).toMatchObject({ code: 0 })
    const { code, stdout } = await project.tenantry('rollback', '-s', 'b', '--to', '0', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      outcomes: [{ tenant: 'b', status: 'done', applied: ['2_notes.sql', '1_create_loans.sql'] }],
    })
    expect(await versions(project, 'a', 'b')).toEqual([0, 0])
  })

  it('takes nothing back in all schemas before somebody has said so', async () => {
    const project = await openReversible(['a'])
    expectUsage(await project.tenantry('rollback', '-x', 'a'), /--yes/)
    expect(await versions(project, 'a')).toEqual([2])
    const all = await project.tenantry('rollback', '--yes', '-x', project.shared, project.main)
    expect(all).toMatchObject({ code: 0 })
    expect(await versions(project, 'a')).toEqual([1])
  })

  it('refuses a reverse that is missing, and takes nothing back', async () => {
    const project = await openReversible(['a'])
    const { code, stderr } = await project.tenantry('rollback', '-ss')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^MIGRATION_IRREVERSIBLE: /)
  })

  it.runIf(HAS_TERMINAL)('asks on a terminal, and takes no for an answer', async () => {
    const project = await openReversible(['a'])
    const typed = [{ after: 'in all schemas?', keys: KEY.enter }]
    const options = { cwd: project.folder, env: { DATABASE_URL: database.url } }
    const { code } = await callInTerminal(['rollback'], typed, options)
    expect(code).toBe(2)
    expect(await versions(project, 'a')).toEqual([2])
  })
})

describe('tenantry redo', () => {
  it('takes the newest migration back and runs it again', async () => {
    const project = await openReversible(['a'])
    const table = `${project.prefix}a.notes`
    await database.admin.query(`insert into ${table} values ('gone')`)
    const { code, stdout } = await project.tenantry('redo', '-ds')
    expect(code).toBe(0)
    expect(stdout).toContain('1 schema: 1 redone')
    expect((await database.admin.query(`select * from ${table}`)).rows).toEqual([])
    expect(await versions(project, 'a')).toEqual([2])
  })

  it('asks for a selection', async () => {
    const project = await openReversible(['a'])
    expectUsage(await project.tenantry('redo'), /^OPTIONS_INVALID: No schema is selected/)
  })

  it.runIf(HAS_TERMINAL)('lets a person choose schemas by name on a terminal', async () => {
    const project = await openReversible(['a', 'b'])
    const { prefix } = project
    const typed = [
      { after: 'in some, by name', keys: KEY.down + KEY.down + KEY.down + KEY.enter },
      { after: 'globs', keys: `${prefix}*${KEY.enter}` },
    ]
    const options = { cwd: project.folder, env: { DATABASE_URL: database.url } }
    const { code, screen } = await callInTerminal(['redo'], typed, options)
    expect(code).toBe(0)
    expect(screen).toContain('2 schemas: 2 redone')
  })
})

describe('tenantry mark-applied', () => {
  it('notes migrations as done and runs none of them', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const { code, stdout } = await project.tenantry('mark-applied', '--to', '2', '-s', 'a')
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^${project.prefix}a +noted {2}1 migration`, 'm'))
    expect(await versions(project, 'a', 'b')).toEqual([2, 1])
    const { rows } = await database.admin.query('select to_regclass($1) as made', [
      `${project.prefix}a.notes`,
    ])
    expect(rows).toEqual([{ made: null }])
  })

  it('asks for the last migration that counts, and for a selection', async () => {
    const project = await openFleet(database, ['a'])
    expectUsage(await project.tenantry('mark-applied', '-ds'), /--to/)
    expectUsage(await project.tenantry('mark-applied', '--to', '1'), /No schema is selected/)
    expectUsage(await project.tenantry('mark-applied', '--to', '9', '-ds'), /"9"/)
  })
})
