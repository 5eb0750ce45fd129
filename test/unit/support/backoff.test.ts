import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../src/support/backoff.js'

const attempts = fc.integer({ min: 1, max: 2_000 })

describe('backoffMs', () => {
  it('waits between half and all of a time that doubles with each attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (attempt) => {
        const full = 100 * 2 ** (attempt - 1)
        const wait = backoffMs(attempt, 100, 1_000_000)
        expect(wait).toBeGreaterThanOrEqual(full / 2)
        expect(wait).toBeLessThanOrEqual(full)
      }),
    )
  })

  it('never waits longer than the maximum, however often it was tried', () => {
    fc.assert(
      fc.property(attempts, (attempt) => {
        const wait = backoffMs(attempt, 100, 5_000)
        expect(wait).toBeGreaterThanOrEqual(50)
        expect(wait).toBeLessThanOrEqual(5_000)
      }),
    )
  })

  it('keeps apart those who collided', () => {
    const waits = Array.from({ length: 20 }, () => backoffMs(3, 100, 5_000))
    expect(new Set(waits).size).toBeGreaterThan(15)
  })
})
