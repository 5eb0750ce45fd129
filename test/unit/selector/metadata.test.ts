import { describe, expect, it } from 'vitest'
import { containsJson } from '../../../src/selector/metadata.js'

describe('containsJson', () => {
  it.each([
    [{ plan: 'gold', region: 'eu' }, { plan: 'gold' }],
    [
      { plan: 'gold', region: 'eu' },
      { plan: 'gold', region: 'eu' },
    ],
    [{ limits: { users: 5, loans: 9 } }, { limits: { users: 5 } }],
    [{ tags: ['a', 'b'] }, { tags: ['a', 'b'] }],
    [{ closed: null }, { closed: null }],
    [{}, {}],
  ])('finds in %j all of %j', (actual, wanted) => {
    expect(containsJson(actual, wanted)).toBe(true)
  })

  it.each([
    [
      { plan: 'gold', region: 'us' },
      { plan: 'gold', region: 'eu' },
    ],
    [{ plan: 'gold' }, { region: undefined }],
    [{ tags: ['a', 'b'] }, { tags: ['a'] }],
    [{ tags: ['a'] }, { tags: { 0: 'a' } }],
    [{ tags: { 0: 'a' } }, { tags: ['a'] }],
    [{ closed: null }, { closed: {} }],
    [{ closed: {} }, { closed: null }],
    [{ plan: 'gold' }, { toString: 'gold' }],
    ['gold', { plan: 'gold' }],
    [{ plan: 'gold' }, 'gold'],
  ])('does not find in %j all of %j', (actual, wanted) => {
    expect(containsJson(actual, wanted)).toBe(false)
  })
})
