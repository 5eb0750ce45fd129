import { LINT_RULES, type Migration, directory, lint } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { CLEAN, SAMPLES } from './sample.js'

function migration(sql: string): Migration {
  return { id: 1, name: 'sample', fileName: '1_sample.sql', sql, hash: '' }
}

describe('lint', () => {
  it.each(SAMPLES)('finds $rule in $sql', async ({ rule, sql, line, level = 'error' }) => {
    const findings = await lint([migration(sql)])
    expect(findings).toContainEqual(
      expect.objectContaining({ rule, line, level, migration: '1_sample.sql' }),
    )
    expect(findings.filter((each) => each.rule === rule)).toHaveLength(1)
  })

  it.each(CLEAN)('finds nothing in %s', async (sql) => {
    expect(await lint([migration(sql)], { searchPath: ['shared'] })).toEqual([])
  })

  it('has a sample for each rule', () => {
    const sampled = new Set([...SAMPLES.map(({ rule }) => rule), 'unknown-rule'])
    expect([...sampled].toSorted()).toEqual(LINT_RULES.toSorted())
  })

  it('tells the column in characters of JavaScript', async () => {
    const sql = "select '😀ä' from pg_class"
    expect(await lint([migration(sql)])).toMatchObject([
      { line: 1, column: sql.indexOf('pg_') + 1 },
    ])
  })

  it('looks at the reverse of a migration as well', async () => {
    const reversible = {
      ...migration('select 1'),
      down: 'drop table public.loans',
      file: '/m/1_sample.sql',
    }
    expect(await lint([reversible])).toMatchObject([
      { rule: 'qualified-name', file: '/m/down/1_sample.sql', migration: '1_sample.sql' },
    ])
  })

  it('lets migrations read from the schemas of searchPath and allow, and not write to them', async () => {
    const sql = 'insert into b.t select * from a.t;'
    const findings = await lint([migration(sql)], { searchPath: ['a'], allow: ['b'] })
    expect(findings).toMatchObject([{ rule: 'qualified-name', level: 'error', column: 13 }])
    expect(await lint([migration('select 1 from a.t, b.t')], { allow: ['a', 'b'] })).toEqual([])
  })

  it.each(['tenant', 'main', 'public'])('finds no error in the demo’s %s set', async (set) => {
    const source = directory(`examples/lending/migrations/${set}`)
    const findings = await lint(source, { searchPath: ['public'] })
    expect(findings.filter(({ level }) => level !== 'note')).toEqual([])
  })
})

describe('comments', () => {
  it('switch rules off for the whole file', async () => {
    const sql =
      'drop schema a;\ndrop table b cascade;\n-- tenantry-lint-disable drop-schema, drop-cascade -- on purpose'
    expect(await lint([migration(sql)])).toEqual([])
  })

  it('switch rules off for the next line with SQL', async () => {
    const sql =
      '-- tenantry-lint-disable-next-line drop-schema\n-- why\n\ndrop schema a;\ndrop schema b;'
    expect(await lint([migration(sql)])).toMatchObject([{ rule: 'drop-schema', line: 5 }])
  })

  it('leave other rules on', async () => {
    const sql = '-- tenantry-lint-disable drop-schema\ncreate schema a;'
    expect(await lint([migration(sql)])).toMatchObject([{ rule: 'create-schema' }])
  })

  it.each(['drop-shema', ''])('are reported when they name no rule: "%s"', async (name) => {
    const sql = `select 1;\n-- tenantry-lint-disable ${name}`
    expect(await lint([migration(sql)])).toMatchObject([
      { rule: 'unknown-rule', level: 'warning', line: 2 },
    ])
  })
})
