import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, settled, startBinary } from './binary.js'
import { linesOf, openFleet, openProject } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

/** Fails where the loans of a tenant have the same amount. */
const UNIQUE_AMOUNTS = 'create unique index on loans (amount);'

describe('tenantry migrate', () => {
  it('migrates everything without flags, and finds nothing to do the second time', async () => {
    const project = await openProject(database)
    const first = await project.tenantry('migrate')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(linesOf(first.stdout)).toEqual([
      expect.stringMatching(new RegExp(`^${project.shared} +migrated {2}1 migration {2}\\d+ ms$`)),
      expect.stringMatching(new RegExp(`^${project.main} +migrated {2}1 migration {2}\\d+ ms$`)),
      expect.stringMatching(/^2 schemas: 2 migrated in \d+ ms$/),
    ])
    const second = await project.tenantry('migrate')
    expect(linesOf(second.stdout)).toEqual([
      expect.stringMatching(new RegExp(`^${project.shared} +current$`)),
      expect.stringMatching(new RegExp(`^${project.main} +current$`)),
      expect.stringMatching(/^2 schemas: 2 current in \d+ ms$/),
    ])
  })

  it('lints as it is told, and is content with a reader who has gone', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_drop.sql', 'drop table loans cascade;')
    const warned = await project.tenantry('migrate', '-ds', '--lint', 'warn')
    expect(warned.code).toBe(0)
    expect(warned.stderr).toContain('drop-cascade')
    const call = startBinary(['whowill', '-as'], {
      cwd: project.folder,
      env: { DATABASE_URL: database.url },
    })
    call.stdout.destroy()
    const [said, [code]] = await Promise.all([text(call.stderr), once(call, 'close')])
    expect({ code, said }).toEqual({ code: 0, said: '' })
  })

  it('answers to the name that it had in the former system', async () => {
    const project = await openProject(database)
    const { code, stdout } = await project.tenantry('migrateschema', '-ss')
    expect(code).toBe(0)
    expect(stdout).toContain('2 migrated')
  })

  it('leaves the tenants that a failure is not about done, and ends with 1', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    await database.admin.query(`insert into ${project.prefix}b.loans values (1), (1)`)
    await project.write('migrations/tenant/2_unique_amounts.sql', UNIQUE_AMOUNTS)

    const { code, stdout, stderr } = await project.tenantry('migrate', '-ds', '--parallel')
    expect(code).toBe(1)
    const { prefix } = project
    expect(stdout).toMatch(new RegExp(`^${prefix}a +migrated {2}1 migration`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${prefix}b +failed {2}MIGRATION_FAILED: 2_unique`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${prefix}c +migrated {2}1 migration`, 'm'))
    expect(stdout).toContain('3 schemas: 2 migrated, 1 failed')
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^MIGRATION_RUN_FAILED: 1 of 3 /)])

    await database.admin.query(`truncate ${prefix}b.loans`)
    const repeat = await project.tenantry('migrate', '-ds')
    expect(repeat.code).toBe(0)
    expect(repeat.stdout).toContain('3 schemas: 1 migrated, 2 current')
  })

  it('leaves excluded tenants on their version', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await project.tenantry('migrate', '-as', '-x', `${project.prefix}b`)
    const { stdout } = await project.tenantry('status', '-ds', '--json')
    expect(JSON.parse(stdout)).toMatchObject([
      { tenant: 'a', version: 2, pending: [] },
      { tenant: 'b', version: 1, pending: ['2_notes.sql'] },
    ])
  })

  it('leaves the others when a canary fails, and takes no more tenants than its limit', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix } = project
    await database.admin.query(`insert into ${prefix}a.loans values (1), (1)`)
    await project.write('migrations/tenant/2_unique_amounts.sql', UNIQUE_AMOUNTS)
    const canary = await project.tenantry('migrate', '-ds', '--canary', '1', '--parallel')
    expect(canary.code).toBe(1)
    expect(canary.stdout).toContain('3 schemas: 1 failed, 2 skipped')
    const limited = await project.tenantry('migrate', '--behind', '-x', 'a', '--limit', '1')
    expect(limited.code).toBe(0)
    expect(linesOf(limited.stdout)).toEqual([
      expect.stringMatching(new RegExp(`^${prefix}b +migrated`)),
      expect.stringMatching(/^1 schema: 1 migrated/),
    ])
  })

  it('runs nothing where the linter finds an error, unless it is told to', async () => {
    const project = await openFleet(database, ['a'])
    const view = 'create view sums as select sum(amount) from reports.totals, loans'
    await project.write('migrations/tenant/2_notes.sql', 'create table public.notes ();')
    const { code, stdout, stderr } = await project.tenantry('migrate')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([
      expect.stringMatching(/^migrations\/tenant\/2_notes\.sql:1:14 error qualified-name: This /),
      expect.stringMatching(/^LINT_FAILED: The linter found an error [^]*lint: 'warn'/),
    ])
    await project.write(
      'migrations/tenant/2_notes.sql',
      `do $$ begin if false then ${view}; end if; end $$;`,
    )
    const warned = await project.tenantry('migrate')
    expect(warned.code).toBe(0)
    expect(warned.stderr).toMatch(/2_notes\.sql:1:\d+ warning qualified-name: This reads /)
    await project.write('migrations/tenant/3_path.sql', 'set search_path to public;')
    expect(await project.tenantry('migrate', '--lint', 'off')).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await project.tenantry('migrate', '--lint', 'loud')).toMatchObject({ code: 2 })
  })

  it('writes one document with --json, also when a schema failed', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await database.admin.query(`insert into ${project.prefix}b.loans values (1), (1)`)
    await project.write('migrations/tenant/2_unique_amounts.sql', UNIQUE_AMOUNTS)
    const { code, stdout, stderr } = await project.tenantry('migrate', '-ds', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      outcomes: [
        { tenant: 'a', status: 'done', applied: ['2_unique_amounts.sql'] },
        { tenant: 'b', status: 'failed', error: { code: 'MIGRATION_FAILED' } },
      ],
    })
    expect(stderr).toContain('2 schemas: 1 migrated, 1 failed')
  })

  it('skips the tenants when the shared schema fails, and says why', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/public/2_broken.sql', 'create table rates ();')
    const { code, stdout } = await project.tenantry('migrate')
    expect(code).toBe(1)
    expect(stdout).toMatch(
      new RegExp(`^${project.prefix}a +skipped {2}a shared schema failed`, 'm'),
    )
  })

  it('finishes what runs and begins nothing more after SIGINT', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    await project.write('migrations/tenant/2_slow.sql', 'select pg_sleep(0.5);')
    const call = startBinary(['migrate', '-ds'], {
      cwd: project.folder,
      env: { DATABASE_URL: database.url },
    })
    // The first line is written while the second schema is being migrated.
    void once(call.stdout, 'data').then(() => call.kill('SIGINT'))
    const { code, stdout } = await settled(call)
    expect(code).toBe(1)
    expect(stdout).toMatch(/3 schemas: 2 migrated, 1 skipped/)
    expect(stdout).toMatch(new RegExp(`^${project.prefix}c +skipped {2}the run was stopped`, 'm'))
  })
})
