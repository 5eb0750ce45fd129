import { select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { normaliseArguments, selectionOf } from '../../src/cli/arguments.js'

const TAKERS = new Set(['-s', '--schema', '-x', '-e', '--execute', '--config'])

function normalise(...argv: readonly string[]): string[] {
  return normaliseArguments(argv, (flag) => TAKERS.has(flag))
}

describe('normaliseArguments', () => {
  it.each([
    ['-as', '--all-schemas'],
    ['-ss', '--static-schemas'],
    ['-ds', '--dynamic-schemas'],
    ['-ts', '--tenant-schemas'],
  ])('spells %s out as %s', (short, long) => {
    expect(normalise('migrate', short, '-x', 'a')).toEqual(['migrate', long, '-x', 'a'])
  })

  it('leaves other flags and words as they are', () => {
    const argv = ['migrate', '-s', 'a', 'b', '-x', 'c', '--json', 'as', '-a', '--as', '-asx']
    expect(normalise(...argv)).toEqual(argv)
  })

  it('leaves the value of a flag as it is, whatever it looks like', () => {
    const argv = ['run', '-e', '-as', '--config', '-ds', '-s', '-ss']
    expect(normalise(...argv)).toEqual(argv)
  })

  it('takes only one value away from a flag', () => {
    expect(normalise('-s', 'a', '-as')).toEqual(['-s', 'a', '--all-schemas'])
  })

  it('does not take an attached value for a flag that still needs one', () => {
    expect(normalise('--config=x', '-as')).toEqual(['--config=x', '--all-schemas'])
  })

  it('leaves everything behind -- as it is', () => {
    expect(normalise('-as', '--', '-as', '--parallel', 'x')).toEqual([
      '--all-schemas',
      '--',
      '-as',
      '--parallel',
      'x',
    ])
  })

  it('knows a -- that is the value of a flag', () => {
    expect(normalise('-e', '--', '-as')).toEqual(['-e', '--', '--all-schemas'])
  })

  it('gives --parallel its number where none follows', () => {
    expect(normalise('run', '--parallel', 'a.sql')).toEqual(['run', '--parallel=4', 'a.sql'])
    expect(normalise('migrate', '--parallel')).toEqual(['migrate', '--parallel=4'])
    expect(normalise('--parallel', '-as')).toEqual(['--parallel=4', '--all-schemas'])
  })

  it('leaves --parallel its own number', () => {
    expect(normalise('--parallel', '2', '-as')).toEqual(['--parallel', '2', '--all-schemas'])
    expect(normalise('--parallel=2')).toEqual(['--parallel=2'])
  })
})

describe('selectionOf', () => {
  it('selects nothing without flags, one schema at a time', () => {
    expect(selectionOf({})).toEqual({ select: undefined, exclude: [], concurrency: 1 })
  })

  it('counts the shared schema among the static ones', () => {
    expect(selectionOf({ staticSchemas: true }).select).toEqual(
      select.union(select.union(select.shared(), select.static())),
    )
  })

  it('hands the limit on', () => {
    expect(selectionOf({ dynamicSchemas: true, limit: 3 })).toMatchObject({ limit: 3 })
  })

  it('unites what several flags select', () => {
    expect(selectionOf({ dynamicSchemas: true, schema: ['public', 'main'] }).select).toEqual(
      select.union(select.tenants(), select.names('public', 'main')),
    )
  })

  it('selects nothing by an exclusion alone', () => {
    expect(selectionOf({ excludeSchema: ['demo'] })).toMatchObject({
      select: undefined,
      exclude: ['demo'],
    })
  })

  it('reads globs among the names, and narrows by status, metadata and what is behind', () => {
    const where = ['plan=pro', 'seats=5']
    expect(
      selectionOf({ schema: ['main', 'acme*'], status: ['active'], where, behind: true }).select,
    ).toEqual(
      select.intersect(
        select.union(select.union(select.names('main'), select.matching('acme*'))),
        select.tenants({ status: ['active'] }),
        select.tenants({ metadata: { plan: 'pro' } }),
        select.tenants({ metadata: { seats: 5 } }),
        select.behind(),
      ),
    )
    expect(selectionOf({ behind: true }).select).toEqual(select.behind())
  })

  it.each([{ status: ['asleep'] }, { where: ['plan'] }, { where: ['=pro'] }])(
    'refuses %j',
    (flags) => {
      expect(() => selectionOf(flags)).toThrow(/takes/)
    },
  )
})
