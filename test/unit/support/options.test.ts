import { describe, expect, it } from 'vitest'
import { wholeNumber } from '../../../src/support/options.js'
import { thrownBy } from '../thrown.js'

describe('wholeNumber', () => {
  it.each([1, 2, 10_000, Number.MAX_SAFE_INTEGER])('accepts %d', (value) => {
    expect(wholeNumber('concurrency', value, 1)).toBe(value)
  })

  it.each([0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, '4', 4n, null, undefined, [4], true])(
    'refuses %o',
    (value) => {
      expect(thrownBy(() => wholeNumber('concurrency', value, 1))).toMatchObject({
        code: 'OPTIONS_INVALID',
        option: 'concurrency',
        message: expect.stringMatching(/"concurrency" must be a whole number of at least 1, not/),
      })
    },
  )
})
