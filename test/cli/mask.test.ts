import { describe, expect, it } from 'vitest'
import { maskPasswords } from '../../src/cli/mask.js'

describe('maskPasswords', () => {
  it.each([
    ['postgres://me:secret@host/db', 'postgres://me:***@host/db'],
    [
      'cannot reach postgres://me:se/c@re:t@host:5432/db now',
      'cannot reach postgres://me:***@host:5432/db now',
    ],
    ['postgres://:secret@host', 'postgres://:***@host'],
    [
      'postgres://host/db?user=me&password=secret&ssl=1',
      'postgres://host/db?user=me&password=***&ssl=1',
    ],
    ['host=h password=secret user=me', 'host=h password=*** user=me'],
  ])('hides the password of %s', (text, masked) => {
    expect(maskPasswords(text)).toBe(masked)
  })

  it('leaves a text without passwords as it is', () => {
    const text = 'postgres://me@host:5432/db and password authentication failed for user "me"'
    expect(maskPasswords(text)).toBe(text)
  })
})
