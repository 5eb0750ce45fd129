import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pendingMigrations } from '../../../src/migration/plan.js'
import { thrownBy } from '../thrown.js'
import { migration } from './migration.js'

const set = [0, 1, 2, 3].map((id) => migration(id, 'select 1'))
const had = (...ids: number[]): { id: number; name: string; hash: string }[] =>
  ids.map((id) => ({ id, name: `step_${id}`, hash: `hash of ${id}` }))
const pending = (applied: ReturnType<typeof had>): number[] =>
  pendingMigrations('tenant_acme', set, applied).map(({ id }) => id)

describe('pendingMigrations', () => {
  it('takes every migration for a schema that has had none', () => {
    expect(pending([])).toEqual([0, 1, 2, 3])
  })

  it('takes what is newer than the newest that the schema has had', () => {
    expect(pending(had(0, 1))).toEqual([2, 3])
  })

  it('takes nothing for a schema that has had all', () => {
    expect(pending(had(0, 1, 2, 3))).toEqual([])
  })

  it('does not depend on the order of the ledger', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(had(0, 1, 2), { minLength: 3 }), (rows) => {
        expect(pending(rows)).toEqual([3])
      }),
    )
  })

  it('refuses a migration that was changed after it ran', () => {
    const applied = [...had(0), { id: 1, name: 'step_1', hash: 'another hash' }]
    expect(thrownBy(() => pending(applied))).toMatchObject({
      code: 'MIGRATION_TAMPERED',
      schema: 'tenant_acme',
      migration: '1_step_1.sql',
      file: '/set/1_step_1.sql',
    })
  })

  it('refuses a schema that has had a migration of a newer set', () => {
    expect(thrownBy(() => pending(had(0, 1, 2, 3, 4)))).toMatchObject({
      code: 'MIGRATION_UNKNOWN',
      schema: 'tenant_acme',
      migration: 'step_4',
    })
  })

  it('refuses a schema that lacks a migration older than its newest', () => {
    expect(thrownBy(() => pending(had(0, 1, 3)))).toMatchObject({
      code: 'MIGRATION_OUT_OF_ORDER',
      schema: 'tenant_acme',
      migration: '2_step_2.sql',
    })
  })

  it('refuses a ledger that does not know its own table', () => {
    expect(thrownBy(() => pending(had(1, 2, 3)))).toMatchObject({ code: 'MIGRATION_OUT_OF_ORDER' })
  })

  it('says in every refusal what to do', () => {
    const wrong = [had(0, 1, 3), had(0, 4), [{ id: 0, name: 'step_0', hash: '' }]]
    const messages = wrong.map((applied) => String(thrownBy(() => pending(applied))))
    for (const message of messages) expect(message).toMatch(/[Rr]estore|[Cc]orrect/)
  })
})
