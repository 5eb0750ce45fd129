import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { WAIT_AT_GATE, callIn, untilShown, whileClosed } from './gate.js'
import { linesOf, openFleet } from './project.js'
import { HAS_TERMINAL, KEY } from './terminal.js'

if (!HAS_TERMINAL) console.log('The live view is not tested: there is no `script` of util-linux.')

const database = useDatabase()

beforeAll(buildBinary)

const SLUGS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const MIGRATE = ['migrate', '-ds', '--parallel', '2', '--lint', 'off']
const WAIT = `${WAIT_AT_GATE} create table notes (note text);`

describe.skipIf(!HAS_TERMINAL)('tenantry migrate on a terminal', () => {
  it('shows a line for each worker and a bar, and takes them away at the end', async () => {
    const project = await openFleet(database, SLUGS)
    await project.write('migrations/tenant/2_notes.sql', WAIT)
    await database.admin.query(`create table ${project.prefix}c.notes ()`)
    const call = await whileClosed(database, async (open) => {
      const running = callIn(database, project, MIGRATE)
      await untilShown(running, `› ${project.prefix}b`)
      const screen = await running.lines()
      expect(screen).toEqual([
        expect.stringMatching(`^› ${project.prefix}a  .* m?s$`),
        expect.stringMatching(`^› ${project.prefix}b  .* m?s$`),
        expect.stringMatching(/^░{30} 0\/7$/),
      ])
      await open()
      return running
    })
    expect(await call.ended).toBe(1)
    const [failure = '', ...others] = await call.lines()
    expect(failure).toMatch(new RegExp(`^${project.prefix}c +failed  MIGRATION_FAILED: `))
    expect(others.filter((line) => /[›█░]/.test(line))).toEqual([])
    expect(others.join('')).toMatch(/slowest: t.*7 schemas: 6 migrated, 1 failed in .*RUN_FAILED/)
  })

  it('finishes what runs after Ctrl-C, and cancels it on the server after another', async () => {
    const project = await openFleet(database, SLUGS)
    await project.write('migrations/tenant/2_notes.sql', WAIT)
    await whileClosed(database, async () => {
      const call = callIn(database, project, MIGRATE)
      await untilShown(call, `› ${project.prefix}b`)
      call.press(KEY.interrupt)
      await untilShown(call, 'Stopping: what runs is finished')
      expect((await call.lines()).join('\n')).toContain(`› ${project.prefix}a`)
      call.press(KEY.interrupt)
      expect(await call.ended).toBe(1)
      // A line that is longer than the terminal is wide goes on in the next one.
      const transcript = (await call.lines()).join('')
      expect(transcript).toMatch(/7 schemas: 2 failed, 5 skipped in/)
      expect(transcript).toContain('canceling statement due to user request')
    })
    const { rows } = await database.admin.query(
      `select 1 from pg_class where relname = 'notes' and relnamespace::regnamespace::text like $1`,
      [`${project.prefix}%`],
    )
    expect(rows).toEqual([])
  })
})

describe('tenantry migrate without a terminal', () => {
  it('names with --quiet only what failed, and with --verbose also what begins', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await database.admin.query(`create table ${project.prefix}b.notes ()`)
    const quiet = await project.tenantry('migrate', '-ds', '--quiet')
    expect(linesOf(quiet.stdout)).toEqual([
      expect.stringMatching(`^${project.prefix}b +failed`),
      expect.stringMatching(/^2 schemas: 1 migrated, 1 failed in/),
    ])
    await database.admin.query(`drop table ${project.prefix}b.notes`)
    const verbose = await project.tenantry('migrate', '-s', 'b', '--verbose')
    expect(linesOf(verbose.stdout)).toEqual([
      expect.stringMatching(`^${project.prefix}b +started`),
      expect.stringMatching(`^${project.prefix}b +migrated  1 migration`),
      expect.stringMatching(/^1 schema: 1 migrated in/),
    ])
  })

  it('writes each event as a line of JSON with --events, and the report last', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const { stdout, stderr } = await project.tenantry('migrate', '-ds', '--events')
    const schema = `${project.prefix}a`
    expect(linesOf(stdout).map((line): unknown => JSON.parse(line))).toMatchObject([
      { type: 'selected', schemas: 1 },
      { type: 'started', schema, attempt: 1 },
      { type: 'finished', schema, outcome: { status: 'done', applied: ['2_notes.sql'] } },
      { type: 'report', outcomes: [{ schema, status: 'done' }] },
    ])
    expect(stderr).toContain('1 schema: 1 migrated')
  })
})
