import fc from 'fast-check'
import { isTenantryError } from '../../../src/errors.js'
import { describe, expect, it } from 'vitest'
import { normaliseHost, parseDomain, parseHost } from '../../../src/names/domain-name.js'
import { thrownBy } from '../thrown.js'

const NO_HOSTS: readonly (readonly [string, unknown])[] = [
  ['nothing', ''],
  ['blanks', '   '],
  ['a dot', '.'],
  ['two trailing dots', 'acme.com..'],
  ['two trailing dots of an IPv4 address', '127.0.0.1..'],
  ['an ideographic full stop and a dot behind an IPv4 address', '127.0.0.1\u3002.'],
  ['an empty label', 'acme..com'],
  ['a leading dot', '.acme.com'],
  ['a label of 64 characters', `${'a'.repeat(64)}.com`],
  ['more than 253 characters', Array.from({ length: 64 }, () => 'abcd').join('.')],
  ['a label that begins with a hyphen', '-acme.com'],
  ['a label that ends with a hyphen', 'acme-.com'],
  ['a path', 'acme.com/evil'],
  ['a query', 'acme.com?evil'],
  ['a fragment', 'acme.com#evil'],
  ['a backslash', 'acme.com\\evil'],
  ['percent-encoding', '%61cme.com'],
  ['a line break inside', 'ac\nme.com'],
  ['a tab inside', 'ac\tme.com'],
  ['a NUL', 'acme.com\0'],
  ['a space inside', 'acme .com'],
  ['a user', 'user@acme.com'],
  ['a URL', 'http://acme.com'],
  ['two hosts', 'acme.com, beta.com'],
  ['a wildcard', '*.acme.com'],
  ['a port only', ':8080'],
  ['a port of six digits', 'acme.com:123456'],
  ['a port that there is not', 'acme.com:65536'],
  ['a user behind a backslash', 'evil.com\\@acme.com'],
  ['a user with a password', 'user:secret@acme.com'],
  ['an IPv4 address with a label too many', 'a.127.0.0.1'],
  ['a soft hyphen alone', '\u00ad'],
  ['a port that is no number', 'acme.com:http'],
  ['broken punycode', 'xn--a.com'],
  ['SQL', "acme.com'; drop table loans--"],
  ['an IPv6 address', '[::1]'],
  ['an IPv6 address with a port', '[::1]:8080'],
  ['an IPv6 address without brackets', '::1'],
  ['no string', 7],
  ['undefined', undefined],
]

describe('normaliseHost', () => {
  it.each([
    ['acme.example.com', 'acme.example.com'],
    ['ACME.Example.COM', 'acme.example.com'],
    ['acme.example.com:8080', 'acme.example.com'],
    ['acme.example.com.', 'acme.example.com'],
    ['acme.example.com.:443', 'acme.example.com'],
    ['acme\u3002example\u3002com\u3002', 'acme.example.com'],
    [' acme.example.com ', 'acme.example.com'],
    ['localhost:3000', 'localhost'],
    ['127.0.0.1:3000', '127.0.0.1'],
    ['my_app.local', 'my_app.local'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('takes %s for %s', (input, host) => {
    expect(normaliseHost(input)).toBe(host)
  })

  it.each(NO_HOSTS)('takes %s for no host', (_, input) => {
    expect(normaliseHost(input)).toBeUndefined()
  })

  it('answers for any text, and leaves what it has made as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.domain()), (text) => {
        const host = normaliseHost(text)
        if (host === undefined) return
        expect(normaliseHost(host)).toBe(host)
        expect(host).toMatch(/^[a-z0-9._-]+$/)
      }),
    )
  })

  it('knows every domain name', () => {
    fc.assert(fc.property(fc.domain(), (name) => normaliseHost(name) === name.toLowerCase()))
  })
})

describe('parseHost', () => {
  it.each(NO_HOSTS)('refuses %s', (_, input) => {
    expect(
      isTenantryError(
        thrownBy(() => parseHost(input)),
        'NAME_INVALID',
      ),
    ).toBe(true)
  })
})

describe('parseDomain', () => {
  it.each([
    ['acme.example.com', 'acme.example.com', ''],
    ['Acme.Example.com.', 'acme.example.com', ''],
    ['acme.example.com:8443', 'acme.example.com', ''],
    ['acme.example.com/', 'acme.example.com', ''],
    ['example.com/beta', 'example.com', '/beta'],
    ['example.com/beta/', 'example.com', '/beta'],
    ['example.com/beta//', 'example.com', '/beta'],
    ['example.com/eu/beta', 'example.com', '/eu/beta'],
    ['example.com:8080/Beta', 'example.com', '/Beta'],
    ['bücher.example/a-b_c.d~e', 'xn--bcher-kva.example', '/a-b_c.d~e'],
  ])('reads %s', (input, host, path) => {
    expect(parseDomain(input)).toEqual({ host, path })
  })

  it.each([
    ['a URL', 'https://acme.example.com'],
    ['a path alone', '/beta'],
    ['an empty path segment', 'example.com//beta'],
    ['a query', 'example.com/beta?x=1'],
    ['an encoded path', 'example.com/b%20a'],
    ['a path that climbs', 'example.com/../beta'],
    ['a path that stays', 'example.com/./beta'],
    ['a space in the path', 'example.com/a b'],
    ['a backslash in the path', 'example.com/a\\b'],
    ['a wildcard', '*.example.com'],
    ['nothing', ''],
    ['a number', 7],
    ['undefined', undefined],
  ])('refuses %s', (_, input) => {
    const error = thrownBy(() => parseDomain(input))
    expect(error).toMatchObject({ code: 'NAME_INVALID', option: 'domain' })
  })

  it('shows in the error what a domain looks like', () => {
    expect(thrownBy(() => parseDomain('https://x'))).toHaveProperty(
      'message',
      expect.stringContaining('acme.example.com'),
    )
  })
})
