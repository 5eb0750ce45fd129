import { describe, expect, it } from 'vitest'
import { nameInvalid } from '../../../src/names/name-error.js'

describe('nameInvalid', () => {
  it('shows a name of 80 characters whole, and the begin of a longer one', () => {
    const whole = 'a'.repeat(80)
    expect(nameInvalid('slug', whole, 'be short').message).toBe(
      `"${whole}" is not a valid slug: be short.`,
    )
    expect(nameInvalid('slug', `${whole}b`, 'be short').message).toBe(
      `"${whole}…" is not a valid slug: be short.`,
    )
  })

  it('shows what cannot be seen, and of what is no text its type', () => {
    expect(nameInvalid('slug', 'a\u0000b', 'rule').message).toContain('"a\\u0000b"')
    expect(nameInvalid('slug', 7, 'rule').message).toBe('number is not a valid slug: rule.')
  })
})
