import { describe, expect, it } from 'vitest'
import {
  type RunReport,
  type SchemaOutcome,
  countOutcomes,
  requireSuccess,
} from '../../../src/migration/run/report.js'
import { thrownBy } from '../thrown.js'

function outcome(schema: string, status: SchemaOutcome['status'], error?: Error): SchemaOutcome {
  const base = { schema, kind: 'tenant' as const, applied: [], attempts: 1, durationMs: 1 }
  return { ...base, status, ...(error && { error }) }
}

function report(...outcomes: SchemaOutcome[]): RunReport {
  return { outcomes, durationMs: 1 }
}

describe('countOutcomes', () => {
  it('counts each status', () => {
    const mixed = report(outcome('a', 'done'), outcome('b', 'failed'), outcome('c', 'done'))
    expect(countOutcomes(mixed)).toEqual({ done: 2, current: 0, failed: 1, skipped: 0 })
  })

  it('counts nothing in an empty report', () => {
    expect(countOutcomes(report())).toEqual({ done: 0, current: 0, failed: 0, skipped: 0 })
  })
})

describe('requireSuccess', () => {
  it('returns a report without failures, also when schemas were skipped', () => {
    const fine = report(outcome('a', 'done'), outcome('b', 'skipped'), outcome('c', 'current'))
    expect(requireSuccess('RUN_FAILED', fine)).toBe(fine)
  })

  it('throws the code with the report and the first failure as its cause', () => {
    const error = new Error('relation "x" does not exist')
    const mixed = report(outcome('a', 'done'), outcome('b', 'failed', error))
    const thrown = thrownBy(() => requireSuccess('MIGRATION_RUN_FAILED', mixed))
    expect(thrown).toMatchObject({ code: 'MIGRATION_RUN_FAILED', report: mixed, cause: error })
  })

  it('says how many failed, which, and why', () => {
    const mixed = report(
      outcome('tenant_a', 'done'),
      outcome('tenant_b', 'failed', new Error('no table')),
      outcome('tenant_c', 'skipped'),
    )
    const { message } = failure(mixed)
    expect(message).toContain('1 of 3 schemas failed (1 are fine, 1 were skipped)')
    expect(message).toContain('tenant_b: no table')
    expect(message).not.toContain('tenant_a')
  })

  it('says what was thrown of a schema that is no tenant, and counts it', () => {
    const shared = { ...outcome('public', 'failed', new Error('no room')), kind: 'shared' as const }
    expect(failure(report(shared)).message).toContain('public: no room')
  })

  it('names five of many failures, and says how many it leaves out', () => {
    const many = Array.from({ length: 8 }, (_, index) =>
      outcome(`tenant_${index}`, 'failed', new Error('no table')),
    )
    const { message } = failure(report(...many))
    expect(message.match(/tenant_\d/g)).toHaveLength(5)
    expect(message).toContain('3 more')
  })
})

function failure(of: RunReport): Error {
  const thrown = thrownBy(() => requireSuccess('RUN_FAILED', of))
  if (!(thrown instanceof Error)) throw new TypeError('Nothing was thrown.')
  return thrown
}
