import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from './binary.js'
import { linesOf, openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

describe('tenantry run', () => {
  it('runs a file in each selected schema and prints rows with the name in front', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write('seed.sql', 'insert into loans values (7), (null) returning amount;')
    const { code, stdout } = await project.tenantry('run', '--parallel', 'seed.sql', '-ds')
    expect(code).toBe(0)
    const { prefix } = project
    expect(
      linesOf(stdout)
        .map((line) => line.replace(/ +/, ' '))
        .toSorted(),
    ).toEqual([
      `${prefix}a amount=7`,
      `${prefix}a amount=null`,
      `${prefix}b amount=7`,
      `${prefix}b amount=null`,
    ])
  })

  it('prints every result of several statements, as the server writes the values', async () => {
    const project = await openFleet(database, ['a'])
    const sql = `insert into loans values (1), (2); select 'null' as word, null as nothing,
      date '2026-01-31' as day, 'Ada "L"' as name, 1.50 as rate; select 1 as one where false`
    const { stdout } = await project.tenantry('runschema', '-s', 'a', '-e', sql)
    expect(linesOf(stdout).map((line) => line.replace(/^\S+ +/, ''))).toEqual([
      'INSERT 2 rows',
      'word="null" nothing=null day=2026-01-31 name="Ada \\"L\\"" rate=1.50',
      '0 rows',
    ])
    // There is no statement, and so no result.
    const empty = await project.tenantry('run', '-s', 'a', '-e', '-- nothing')
    expect(empty).toMatchObject({ code: 0, stdout: '' })
  })

  it('rolls a schema back that failed, and leaves the others done', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await database.admin.query(`alter table ${project.prefix}b.loans drop column amount`)
    const sql = 'create table made (); insert into loans (amount) values (1)'
    const { code, stdout, stderr } = await project.tenantry('run', '-e', sql, '-ds')
    const { prefix } = project
    expect(code).toBe(1)
    expect(stdout).not.toContain(`${prefix}b`)
    expect(stderr).toMatch(new RegExp(`^${prefix}b +failed {2}42703: `, 'm'))
    expect(stderr).toMatch(/^RUN_FAILED: 1 of 2 schemas failed/m)
    const { rows } = await database.admin.query(
      "select schemaname from pg_tables where tablename = 'made' and schemaname like $1",
      [`${prefix}%`],
    )
    expect(rows).toEqual([{ schemaname: `${prefix}a` }])
  })

  it('runs a script in TypeScript in each schema, and prints what it returns', async () => {
    const project = await openFleet(database, ['a', 'b'])
    await project.write(
      'seed.ts',
      `import type { ScopedClient } from 'tenantry'
       export default async (db: ScopedClient, { schema, tenant }: { schema: string; tenant?: { slug: string } }) => {
         await db.query('insert into loans values ($1)', [tenant?.slug === 'a' ? 1 : 'no number'])
         return { slug: tenant?.slug, schema }
       }`,
    )
    const { code, stdout, stderr } = await project.tenantry('run', 'seed.ts', '-ds')
    const { prefix } = project
    expect(code).toBe(1)
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(new RegExp(`^${prefix}a +\\{ slug: 'a', schema: '${prefix}a' \\}$`)),
    ])
    expect(stderr).toMatch(new RegExp(`^${prefix}b +failed {2}22P02: `, 'm'))
    const { rows } = await database.admin.query(`select amount from ${prefix}a.loans`)
    expect(rows).toEqual([{ amount: 1 }])
  })

  it('writes one document with --json, with what came back', async () => {
    const project = await openFleet(database, ['a'])
    const words = ['-ds', '-e', 'select 1.50 as rate, null as nothing', '--json']
    const { code, stdout } = await project.tenantry('run', ...words)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      outcomes: [
        {
          tenant: 'a',
          status: 'done',
          result: [{ fields: ['rate', 'nothing'], rows: [['1.50', null]] }],
        },
      ],
    })
  })

  it('asks for a selection and for one source of SQL', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('a.sql', 'select 1')
    await project.write('config.mjs', 'export default {}')
    const forms = [
      ['-e', 'select 1'],
      ['-e', 'select 1', '-x', 'a'],
      ['-as'],
      ['a.sql', '-as', '-e', 'select 1'],
      ['missing.sql', '-as'],
      ['-s', 'a', 'a.sql'],
      ['config.mjs', '-as'],
    ]
    for (const form of forms) {
      const { code, stdout, stderr } = await project.tenantry('run', ...form)
      expect({ form, code, stdout }).toEqual({ form, code: 2, stdout: '' })
      expect(stderr).toMatch(/^OPTIONS_INVALID: /)
    }
  })
})
