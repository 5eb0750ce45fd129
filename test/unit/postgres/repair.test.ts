import { describe, expect, it } from 'vitest'
import { type Failure, repairOf } from '../../../src/postgres/statement/repair.js'
import { serverError } from './server-error.js'

const GUARD = serverError('3F000', 'schema "" does not exist')
const MISSING = serverError('3F000', 'schema "a" does not exist')
const STALE = serverError('0A000', 'cached plan must not change result type')
const DROPPED = serverError('26000', 'prepared statement "a" does not exist')

function failure(facts: Partial<Failure> & Pick<Failure, 'error'>): Failure {
  const usual = { inPrelude: false, named: false, status: 'I', block: false, opening: [] } as const
  return { ...usual, begin: undefined, ...facts }
}

describe('repairOf', () => {
  it('discards hidden temporary tables when the prelude has met them', () => {
    expect(repairOf(failure({ error: GUARD, inPrelude: true }))).toEqual({
      kind: 'discard',
      begin: undefined,
      texts: ['discard temp'],
    })
  })

  it('leaves a transaction before it discards, and opens it as it was', () => {
    const opening = ['begin', 'set transaction read only']
    const inCallers = failure({ error: GUARD, inPrelude: true, status: 'T', opening })
    expect(repairOf(inCallers)?.texts).toEqual(['rollback', 'discard temp', ...opening])
    const inScopes = failure({ error: GUARD, inPrelude: true, begin: 'begin read only' })
    expect(repairOf(inScopes)).toMatchObject({
      begin: 'begin read only',
      texts: ['rollback', 'discard temp'],
    })
    const inBlock = failure({ error: GUARD, inPrelude: true, block: true })
    expect(repairOf(inBlock)?.texts).toEqual(['rollback', 'discard temp'])
  })

  it('parses a named statement again when its result has changed', () => {
    expect(repairOf(failure({ error: STALE, named: true }))).toEqual({
      kind: 'parse again',
      begin: undefined,
      texts: [],
    })
  })

  it.each(['named', 'inPrelude'] as const)(
    'forgets names that the server has dropped: %s',
    (where) => {
      expect(repairOf(failure({ error: DROPPED, [where]: true }))?.kind).toBe('forget all')
    },
  )

  it('opens the caller’s transaction again when its first prelude was dropped', () => {
    const facts = { error: DROPPED, inPrelude: true, status: 'T', opening: ['begin'] } as const
    expect(repairOf(failure(facts))).toMatchObject({
      kind: 'forget all',
      texts: ['rollback', 'begin'],
    })
  })

  it('opens no transaction that was over already', () => {
    const facts = { error: GUARD, inPrelude: true, opening: ['begin', 'commit'] }
    expect(repairOf(failure(facts))?.texts).toEqual(['discard temp'])
  })

  it('opens the transaction of a scope again', () => {
    const repair = repairOf(failure({ error: STALE, named: true, begin: 'begin' }))
    expect(repair).toMatchObject({ begin: 'begin', texts: ['rollback'] })
  })

  it.each([
    ['a missing schema', { error: MISSING, inPrelude: true }],
    ['a missing schema of the caller’s own', { error: MISSING }],
    ['an empty name of the caller’s own', { error: GUARD }],
    ['a changed result of no named statement', { error: STALE }],
    ['another feature that is not supported', { error: serverError('0A000', 'no'), named: true }],
    ['a missing statement of the caller’s own', { error: DROPPED }],
    ['a changed result in a transaction', { error: STALE, named: true, status: 'T' as const }],
    ['a missing statement in a transaction', { error: DROPPED, named: true, status: 'T' as const }],
    ['a prelude behind other work', { error: DROPPED, inPrelude: true, status: 'T' as const }],
    ['a failed transaction', { error: GUARD, inPrelude: true, status: 'E' as const }],
    ['a mistake', { error: serverError('42601', 'syntax error'), named: true }],
    ['a lost connection', { error: new Error('Connection terminated'), inPrelude: true }],
  ])('never runs again what failed for %s', (_, facts) => {
    expect(repairOf(failure(facts))).toBeUndefined()
  })
})
