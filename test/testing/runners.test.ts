import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SUITES = join(ROOT, 'test/testing/runners')
const database = useDatabase()

/** How each runner is called, and where it says how many tests have passed. */
const RUNNERS = {
  vitest: {
    args: [
      'node_modules/vitest/vitest.mjs',
      'run',
      `--dir=${SUITES}`,
      `--config=${SUITES}/vitest.config.mjs`,
      '--reporter=json',
    ],
    passed: /"numPassedTests":(\d+)/,
  },
  jest: {
    args: [
      'node_modules/jest/bin/jest.js',
      `--rootDir=${SUITES}`,
      '--testMatch=**/jest.suite.cjs',
      '--testEnvironment=node',
      '--json',
    ],
    passed: /"numPassedTests":(\d+)/,
  },
  'node:test': {
    args: ['--test', '--test-reporter=tap', join(SUITES, 'node.suite.mjs')],
    passed: /^# pass (\d+)$/m,
  },
}

beforeAll(() => buildBinary(), 180_000)

it.each(Object.entries(RUNNERS))(
  'the fixtures keep the tests of %s apart, and leave nothing behind',
  async (name, { args, passed }) => {
    const prefix = `${database.prefix()}${name.replaceAll(/\W/g, '')}_`
    // None of them knows that it runs inside of another one.
    const env = { PATH: process.env['PATH'], SERVER_URL: database.url, DATABASE_PREFIX: prefix }
    // A connection that is still open would keep the runner from its end.
    const run = promisify(execFile)(process.execPath, args, { cwd: ROOT, env, timeout: 50_000 })
    expect(passed.exec((await run).stdout)?.[1]).toBe('2')
    const { rows } = await database
      .pool()
      .query('select datname from pg_database where starts_with(datname, $1)', [prefix])
    expect(rows).toEqual([])
  },
)
