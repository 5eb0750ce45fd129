import fc from 'fast-check'
import { isTenantryError } from '../../../src/errors.js'
import { describe, expect, it } from 'vitest'
import { isSlug, parseSlug, schemaOfSlug } from '../../../src/names/slug.js'
import { thrownBy } from '../thrown.js'

const slugs = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,40}[a-z0-9])?$/)

describe('parseSlug', () => {
  it.each(['a', '0', 'acme', 'acme-lending', 'a_b', 'a--b', '2fast', 'a'.repeat(63)])(
    'accepts %s as it is',
    (slug) => {
      expect(parseSlug(slug)).toBe(slug)
    },
  )

  it.each([
    ['nothing', ''],
    ['upper case', 'Acme'],
    ['a leading hyphen', '-acme'],
    ['a trailing hyphen', 'acme-'],
    ['a leading underscore', '_acme'],
    ['a trailing underscore', 'acme_'],
    ['a dot', 'a.b'],
    ['a space', 'a b'],
    ['a trailing line break', 'acme\n'],
    ['a NUL', 'ac\0me'],
    ['a quote', 'a"b'],
    ['a semicolon', 'a;drop'],
    ['an umlaut', 'bücher'],
    ['a Cyrillic letter that looks Latin', '\u0430cme'],
    ['a combining mark', 'acme\u0301'],
    ['a path', '../acme'],
    ['64 characters', 'a'.repeat(64)],
  ])('refuses %s', (_, slug) => {
    expect(
      isTenantryError(
        thrownBy(() => parseSlug(slug)),
        'NAME_INVALID',
      ),
    ).toBe(true)
  })

  it.each([undefined, null, 7, ['acme'], { toString: () => 'acme' }])(
    'refuses %s, which is no string',
    (input) => {
      expect(
        isTenantryError(
          thrownBy(() => parseSlug(input)),
          'NAME_INVALID',
        ),
      ).toBe(true)
    },
  )

  it('says what is wrong, what is right, and makes invisible characters visible', () => {
    const error = thrownBy(() => parseSlug('ac\u200bme\n'))
    expect(error).toMatchObject({ code: 'NAME_INVALID', option: 'slug' })
    expect(error).toHaveProperty('message', expect.stringContaining('\\n'))
    expect(error).toHaveProperty('message', expect.stringContaining('a-z, 0-9'))
  })

  it('shows only the beginning of a very long text', () => {
    const error = thrownBy(() => parseSlug('x'.repeat(100_000)))
    expect(String(error).length).toBeLessThan(300)
  })
})

describe('isSlug', () => {
  it('agrees with parseSlug on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), slugs), (text) => {
        expect(isSlug(text)).toBe(thrownBy(() => parseSlug(text)) === undefined)
      }),
    )
  })
})

describe('schemaOfSlug', () => {
  it('puts the prefix in front of the slug, letter by letter', () => {
    expect(schemaOfSlug('tenant_', parseSlug('a-b_c'))).toBe('tenant_a-b_c')
  })

  it('never gives two slugs the same schema', () => {
    fc.assert(
      fc.property(slugs, slugs, (one, other) => {
        const [a, b] = [one, other].map((slug) => schemaOfSlug('tenant_', parseSlug(slug)))
        expect(a === b).toBe(one === other)
      }),
    )
  })

  it('keeps apart what PostgreSQL would cut to the same 63 bytes', () => {
    const [one, other] = ['x', 'y'].map((end) => parseSlug('a'.repeat(60) + end))
    for (const slug of [one, other]) {
      const error = thrownBy(() => schemaOfSlug('tenant_', slug ?? parseSlug('a')))
      expect(isTenantryError(error, 'NAME_INVALID')).toBe(true)
    }
  })

  it('fills 63 bytes to the last', () => {
    expect(schemaOfSlug('tenant_', parseSlug('a'.repeat(56)))).toHaveLength(63)
  })

  it('refuses a prefix and a slug that together make a reserved name', () => {
    const reserved = [
      ['p', 'g_x'],
      ['information_', 'schema'],
    ] as const
    for (const [prefix, slug] of reserved) {
      const error = thrownBy(() => schemaOfSlug(prefix, parseSlug(slug)))
      expect(isTenantryError(error, 'NAME_INVALID')).toBe(true)
    }
  })
})
