import { describe, expect, it } from 'vitest'
import { type Goal, firstSegment, isAtomic, stepsTo } from '../../../src/migration/step.js'
import { migration } from './migration.js'

const set = [
  migration(0, 'create table migrations ()'),
  migration(1, 'create table loans ()'),
  { ...migration(2, 'create table fees ()'), down: 'drop table fees' },
  migration(3, 'create index concurrently on loans (id)'),
  migration(4, 'create table notes ()'),
]

const ids = (goal: Goal, had: number): readonly number[] =>
  stepsTo(goal, 'tenant_acme', { migrations: set, applied: set.slice(0, had) }).map(
    (step) => step.migration.id,
  )

describe('stepsTo', () => {
  it('goes up to the end or to a migration, from what the schema has had', () => {
    expect(ids({ kind: 'up' }, 2)).toEqual([2, 3, 4])
    expect(ids({ kind: 'up', to: 3 }, 0)).toEqual([0, 1, 2, 3])
    expect(ids({ kind: 'up', to: 1 }, 3)).toEqual([])
  })

  it('goes down the newest first, and never takes the ledger itself back', () => {
    expect(ids({ kind: 'down', to: 1 }, 3)).toEqual([2])
    expect(ids({ kind: 'down', to: 0 }, 1)).toEqual([])
  })

  it('refuses a way back without a reverse', () => {
    expect(() => ids({ kind: 'down', to: 0 }, 3)).toThrow(
      expect.objectContaining({ code: 'MIGRATION_IRREVERSIBLE', migration: set[1]?.fileName }),
    )
  })
})

describe('firstSegment', () => {
  const steps = stepsTo({ kind: 'up' }, 'tenant_acme', { migrations: set, applied: [] })
  const shown = (from: number, atomicity?: 'migration'): unknown => {
    const segment = firstSegment(steps.slice(from), atomicity)
    return segment && [segment.steps.map((step) => step.migration.id), segment.alone]
  }

  it('ends before what cannot be in a transaction, which goes alone', () => {
    expect(shown(0)).toEqual([[0, 1, 2], false])
    expect(shown(3)).toEqual([[3], true])
    expect(shown(4)).toEqual([[4], false])
    expect(shown(5)).toBeUndefined()
    expect(isAtomic(steps)).toBe(false)
    expect(isAtomic(steps.slice(0, 3))).toBe(true)
  })

  it('is one migration where each is committed by itself, and the first takes the ledger along', () => {
    expect(shown(0, 'migration')).toEqual([[0, 1], false])
    expect(shown(2, 'migration')).toEqual([[2], false])
  })
})
