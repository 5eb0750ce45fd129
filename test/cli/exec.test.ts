import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, settled, startBinary } from './binary.js'
import { linesOf, openFleet } from './project.js'

const HAS_PSQL = spawnSync('sh', ['-c', 'command -v psql']).status === 0
if (!HAS_PSQL) console.log('exec is not tested with psql: there is none on the PATH.')

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

/** Says where a client of pg comes out, by URL and by the variables of libpq. */
const WHERE = `
import pg from '${import.meta.resolve('pg')}'
for (const settings of [{ connectionString: process.env.DATABASE_URL }, {}]) {
  const client = new pg.Client(settings)
  await client.connect()
  const { rows } = await client.query("select current_schema() as here, count(*)::int as loans from loans")
  await client.end()
  console.log(process.env.TENANT_SLUG, process.env.TENANT_SCHEMA, rows[0].here, rows[0].loans)
}
`

describe('tenantry exec', () => {
  it('runs a program once per schema, inside of it, whatever it connects with', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await database.admin.query(`insert into ${prefix}b.loans values (1)`)
    await project.write('where.mjs', WHERE)
    const { code, stdout, stderr } = await project.tenantry(
      'exec',
      '-ds',
      '--',
      'node',
      'where.mjs',
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(linesOf(stdout)).toEqual([
      `a ${prefix}a ${prefix}a 0`,
      `a ${prefix}a ${prefix}a 0`,
      `b ${prefix}b ${prefix}b 1`,
      `b ${prefix}b ${prefix}b 1`,
    ])
    expect(stderr).toContain('2 schemas: 2 done')
  })

  it('fails the schemas whose program fails, and names each line when several run', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    const script = `console.log('at', process.argv[1]); console.error('odd'); process.exit(process.env.TENANT_SLUG === 'a' ? 7 : 0)`
    const words = ['node', '-e', script, '--', '--parallel']
    const { code, stdout, stderr } = await project.tenantry(
      'exec',
      '-ds',
      '--parallel',
      '--',
      ...words,
    )
    expect(code).toBe(1)
    expect(linesOf(stdout).toSorted()).toEqual([
      expect.stringMatching(new RegExp(`^${prefix}a +at --parallel$`)),
      expect.stringMatching(new RegExp(`^${prefix}b +at --parallel$`)),
    ])
    for (const slug of ['a', 'b']) {
      expect(stderr).toMatch(new RegExp(`^${prefix}${slug} +odd$`, 'm'))
    }
    expect(stderr).toMatch(
      new RegExp(`^${prefix}a +failed {2}RUN_FAILED: "node" ended with exit code 7`, 'm'),
    )
    expect(stderr).toContain('2 schemas: 1 done, 1 failed')
  })

  it('writes one document with --json, and what programs write to stderr', async () => {
    const project = await openFleet(database, ['a'])
    const { code, stdout, stderr } = await project.tenantry(
      'exec',
      '-ds',
      '--json',
      '--',
      'echo',
      'loud',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ outcomes: [{ tenant: 'a', status: 'done' }] })
    expect(stderr).toContain('loud\n')
  })

  it('gives Prisma the URL that it needs, and shows the password in no list of processes', async () => {
    const project = await openFleet(database, ['a'])
    const url = new URL(database.url)
    // A server that trusts everybody lets any password pass.
    url.password ||= 'hush-hush'
    await project.write(
      'prisma',
      `#!/usr/bin/env node
      const { readFileSync } = require('node:fs')
      const list = [process.pid, process.ppid].map((pid) => readFileSync('/proc/' + pid + '/cmdline', 'utf8'))
      const url = new URL(process.env.DATABASE_URL)
      console.log(url.searchParams.get('schema'), url.searchParams.get('options'), url.password === process.env.PGPASSWORD)
      console.log(list.some((line) => line.includes(url.password)) ? 'seen' : 'unseen')`,
    )
    const call = startBinary(['exec', '-s', 'a', '--', 'sh', '-c', 'node ./prisma', 'prisma'], {
      cwd: project.folder,
      env: { DATABASE_URL: url.href },
    })
    const { code, stdout, stderr } = await settled(call)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const schema = `${project.prefix}a`
    const path = `"${schema}",\\ "${project.shared}",\\ pg_temp`
    expect(linesOf(stdout)).toEqual([`${schema} -c search_path=${path} true`, 'unseen'])
  })

  it.skipIf(!HAS_PSQL)(
    'leads psql into each schema, and shows its password to nobody',
    async () => {
      const project = await openFleet(database, ['a', 'b'])
      const { prefix } = project
      await database.admin.query(`insert into ${prefix}b.loans values (1)`)
      const url = new URL(database.url)
      url.password ||= 'hush-hush'
      const where = 'select current_schema(), count(*) from loans'
      // What psql starts asks the system how psql itself was called.
      const self = String.raw`\! tr "\000" " " < /proc/$PPID/cmdline; echo`
      const words = ['psql', '-XAt', '-c', where, '-c', self, '-c', 'select broken']
      const { code, stdout, stderr } = await settled(
        startBinary(['exec', '-ds', '--', ...words], {
          cwd: project.folder,
          env: { DATABASE_URL: url.href, DEBUG: '1' },
        }),
      )
      expect(code).toBe(1)
      expect(linesOf(stdout)).toEqual([
        `${prefix}a|0`,
        expect.stringMatching(/psql -XAt -c select /),
        `${prefix}b|1`,
        expect.stringMatching(/psql -XAt -c select /),
      ])
      expect(stderr).toMatch(/"psql" ended with exit code 1/)
      expect(stdout + stderr).not.toContain(url.password)
    },
  )

  it('passes SIGINT on, and begins no further schema', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const script = `process.on('SIGINT', () => { console.log('heard'); process.exit(9) }); console.log('up'); setInterval(() => {}, 9999)`
    const call = startBinary(['exec', '-ds', '--', 'node', '-e', script], {
      cwd: project.folder,
      env: { DATABASE_URL: database.url },
    })
    void once(call.stdout, 'data').then(() => call.kill('SIGINT'))
    const { code, stdout, stderr } = await settled(call)
    expect({ code, stdout: linesOf(stdout).slice(-1) }).toEqual({ code: 1, stdout: ['heard'] })
    expect(stderr).toContain('2 schemas: 1 failed, 1 skipped')
  })

  it('asks for a selection, and for a program', async () => {
    const project = await openFleet(database, [])
    expect(await project.tenantry('exec', '--', 'echo')).toMatchObject({ code: 2, stdout: '' })
    const { code, stderr } = await project.tenantry('exec', '-as')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^OPTIONS_INVALID: Name a program behind --/)
  })
})
