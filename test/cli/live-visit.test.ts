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
const DRAWN = /[›█░]/
const RUN = ['run', '-ds', '--parallel', '2', '-e']

describe.skipIf(!HAS_TERMINAL)('tenantry run on a terminal', () => {
  it('shows a line for each worker and a bar, and leaves answers, failures and a sum', async () => {
    const project = await openFleet(database, SLUGS)
    const { prefix } = project
    await database.admin.query(`alter table ${prefix}c.loans drop column amount`)
    const sql = `${WAIT_AT_GATE} insert into loans (amount) values (7) returning amount`
    const call = await whileClosed(database, async (open) => {
      const running = callIn(database, project, [...RUN, sql])
      await untilShown(running, `› ${prefix}b`)
      expect(await running.lines()).toEqual([
        expect.stringMatching(`^› ${prefix}a  .* m?s$`),
        expect.stringMatching(`^› ${prefix}b  .* m?s$`),
        expect.stringMatching(/^░{30} 0\/7$/),
      ])
      await open()
      return running
    })
    expect(await call.ended).toBe(1)
    const lines = await call.lines()
    expect(lines.filter((line) => DRAWN.test(line))).toEqual([])
    expect(lines.filter((line) => line.endsWith('amount=7'))).toHaveLength(6)
    expect(lines.join('\n')).toMatch(new RegExp(`^${prefix}c +failed  42703: `, 'm'))
    expect(lines.join('')).toMatch(/slowest: .*7 schemas: 6 done, 1 failed in .*RUN_FAILED/)
  })

  it('finishes what runs after Ctrl-C, and commits it', async () => {
    const project = await openFleet(database, SLUGS)
    const sql = `${WAIT_AT_GATE} create table made ()`
    const call = await whileClosed(database, async (open) => {
      const running = callIn(database, project, [...RUN, sql])
      await untilShown(running, `› ${project.prefix}b`)
      running.press(KEY.interrupt)
      await untilShown(running, 'Stopping: what runs is finished')
      await open()
      return running
    })
    expect(await call.ended).toBe(1)
    expect((await call.lines()).join('')).toMatch(/7 schemas: 2 done, 5 skipped in/)
    expect(await made(project.prefix)).toEqual([`${project.prefix}a`, `${project.prefix}b`])
  })

  it('cancels on the server what runs after Ctrl-C twice', async () => {
    const project = await openFleet(database, SLUGS)
    const sql = `create table made (); ${WAIT_AT_GATE}`
    await whileClosed(database, async () => {
      const call = callIn(database, project, [...RUN, sql])
      await untilShown(call, `› ${project.prefix}b`)
      call.press(KEY.interrupt)
      await untilShown(call, 'Stopping: what runs is finished')
      call.press(KEY.interrupt)
      // The gate stays closed, so only the server can have ended what waits there.
      expect(await call.ended).toBe(1)
      expect((await call.lines()).join('')).toMatch(/7 schemas: 2 failed, 5 skipped in/)
    })
    expect(await made(project.prefix)).toEqual([])
  })
})

/** The schemas that have got the table that a test makes. */
async function made(prefix: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ name: string }>(
    `select schemaname as name from pg_tables where tablename = 'made' and schemaname like $1
     order by 1`,
    [`${prefix}%`],
  )
  return rows.map(({ name }) => name)
}

describe.skipIf(!HAS_TERMINAL)('tenantry exec on a terminal', () => {
  it('draws where several programs run, with what they write above', async () => {
    const project = await openFleet(database, SLUGS)
    const { prefix } = project
    const script = `console.log('up'); setInterval(() => {}, 9999); process.on('SIGINT', () => process.exit(9))`
    const words = ['exec', '-ds', '--parallel', '2', '--', 'node', '-e', script]
    const call = callIn(
      database,
      project,
      words.map((word) => word.replaceAll("'", `'\\''`)),
    )
    await untilShown(call, new RegExp(`${prefix}b +up[^]*› ${prefix}a[^]*› ${prefix}b[^]*░ 0/7`))
    call.press(KEY.interrupt)
    expect(await call.ended).toBe(1)
    const lines = await call.lines()
    expect(lines.filter((line) => DRAWN.test(line))).toEqual([])
    expect(lines.join('')).toMatch(/"node" ended with exit code 9.*7 schemas: 2 failed, 5 skipped/)
  })

  it('leaves the terminal to a program that runs alone', async () => {
    const project = await openFleet(database, ['a'])
    const words = ['exec', '-ds', '--', 'sh', '-c', 'read word; test -t 1 && echo got $word']
    const call = callIn(database, project, words)
    await untilShown(call, `${project.prefix}a`)
    call.press(`hello${KEY.enter}`)
    expect(await call.ended).toBe(0)
    expect(await call.lines()).toContain('got hello')
  })
})

describe('tenantry run without a terminal', () => {
  it('says with --quiet only what failed and the sum, and with --verbose also what begins', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await database.admin.query(`drop table ${prefix}b.loans`)
    const words = ['run', '-ds', '-e', 'select amount from loans']
    const quiet = await project.tenantry(...words, '--quiet')
    expect(quiet).toMatchObject({ code: 1, stdout: '' })
    expect(linesOf(quiet.stderr)).toEqual([
      expect.stringMatching(`^${prefix}b +failed  42P01: `),
      expect.stringMatching(/^2 schemas: 1 done, 1 failed in/),
      expect.stringMatching(/^RUN_FAILED: /),
    ])
    const verbose = await project.tenantry(...words, '--verbose')
    expect(linesOf(verbose.stdout)).toEqual([expect.stringMatching(`^${prefix}a +0 rows$`)])
    expect(linesOf(verbose.stderr)[0]).toMatch(new RegExp(`^${prefix}a +started$`))
  })

  it('writes each event as a line of JSON with --events, with what came back', async () => {
    const project = await openFleet(database, ['a'])
    const { stdout } = await project.tenantry('run', '-ds', '-e', 'select 1 as one', '--events')
    const schema = `${project.prefix}a`
    const result = [{ fields: ['one'], rows: [['1']] }]
    expect(linesOf(stdout).map((line): unknown => JSON.parse(line))).toMatchObject([
      { type: 'selected', schemas: 1 },
      { type: 'started', schema, attempt: 1 },
      { type: 'finished', schema, outcome: { status: 'done' }, result },
      { type: 'report', outcomes: [{ schema, status: 'done', result }] },
    ])
  })
})
