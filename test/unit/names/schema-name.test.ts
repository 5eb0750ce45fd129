import fc from 'fast-check'
import { isTenantryError } from '../../../src/errors.js'
import { describe, expect, it } from 'vitest'
import {
  parseSchemaName,
  quoteIdent,
  quoteLiteral,
  unquoteIdent,
} from '../../../src/names/schema-name.js'
import { splitStatements } from '../../../src/postgres/sql-text.js'
import { thrownBy } from '../thrown.js'

const names = fc
  .stringMatching(/^[a-z_][a-z0-9_-]{0,62}$/)
  .filter((name) => !name.startsWith('pg_') && name !== 'information_schema')

/** How PostgreSQL reads a quoted identifier. */
function asServerReads(quoted: string): string {
  return quoted.slice(1, -1).replaceAll('""', '"')
}

describe('parseSchemaName', () => {
  it.each(['public', 'a', '_', 'tenant_acme', 'tenant_a-b', 'a1', 'a'.repeat(63)])(
    'accepts %s as it is',
    (name) => {
      expect(parseSchemaName(name)).toBe(name)
    },
  )

  it.each(['order', 'user', 'select', 'table', 'pgx', 'pg-x', 'information_schema2'])(
    'accepts %s, which quoting makes safe',
    (name) => {
      expect(parseSchemaName(name)).toBe(name)
    },
  )

  it.each([
    ['nothing', ''],
    ['upper case, which poolers do not tell from lower case', 'Tenant'],
    ['a leading digit', '1tenant'],
    ['a leading hyphen', '-tenant'],
    ['PostgreSQL’s own prefix', 'pg_tenant'],
    ['a catalog', 'pg_catalog'],
    ['the information schema', 'information_schema'],
    ['"$user", which a path expands', '$user'],
    ['64 bytes', 'a'.repeat(64)],
    ['63 characters of more bytes', 'ü'.repeat(63)],
    ['a double quote', 'a"b'],
    ['a single quote', "a'b"],
    ['a NUL', 'a\0b'],
    ['a backslash', 'a\\b'],
    ['a dollar quote', 'a$$b'],
    ['a comma', 'a,public'],
    ['a dot', 'a.b'],
    ['a semicolon', 'a;drop schema public'],
    ['a comment', 'a--b/*'],
    ['a trailing line break', 'tenant\n'],
    ['a tab', 'a\tb'],
    ['a space', 'a b'],
    ['options of libpq', 'x -c search_path=tenant_t2'],
    ['an umlaut', 'tenant_münchen'],
    ['a full-width letter', 'tenant_\uff41'],
    ['the Kelvin sign, a k in lower case', 'tenant_\u212a'],
    ['an unpaired surrogate', 'tenant_\ud800'],
    ['a zero-width space', 'tenant\u200b'],
  ])('refuses %s', (_, name) => {
    const error = thrownBy(() => parseSchemaName(name))
    expect(error).toMatchObject({ code: 'NAME_INVALID', option: 'schema name' })
  })

  it.each([undefined, null, 0, true, ['public'], Symbol('public'), { length: 3 }])(
    'refuses what is no string',
    (input) => {
      expect(
        isTenantryError(
          thrownBy(() => parseSchemaName(input)),
          'NAME_INVALID',
        ),
      ).toBe(true)
    },
  )

  it('accepts nothing that has to be quoted to hold together', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '_', '-', 'A', '"', '.', 'é') }),
        (text) => {
          const accepted = thrownBy(() => parseSchemaName(text)) === undefined
          expect(accepted && !/^[a-z_-]+$/.test(text)).toBe(false)
        },
      ),
    )
  })
})

describe('quoteIdent', () => {
  it.each([
    ['order', '"order"'],
    ['a-b', '"a-b"'],
    ['a"b', '"a""b"'],
    ['""', '""""""'],
    ['a\\b', '"a\\b"'],
  ])('quotes %s', (name, quoted) => {
    expect(quoteIdent(name)).toBe(quoted)
  })

  it('gives back every schema name that was parsed', () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(asServerReads(quoteIdent(parseSchemaName(name)))).toBe(name)
      }),
    )
  })

  it('lets no text out of the identifier', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = quoteIdent(text)
        expect(asServerReads(quoted)).toBe(text)
        expect(quoted.slice(1, -1).replaceAll('""', '')).not.toContain('"')
      }),
    )
  })
})

describe('quoteLiteral', () => {
  it.each([
    ['acme', "'acme'"],
    ["o'neil", "'o''neil'"],
    ['', "''"],
    ['a\\b', " E'a\\\\b'"],
    ["\\'", " E'\\\\'''"],
  ])('quotes %s', (value, quoted) => {
    expect(quoteLiteral(value)).toBe(quoted)
  })

  it('lets no text out of the literal', () => {
    const hostile = fc.string({ unit: fc.constantFrom("'", '\\', ';', 'a', '"', '$', '-') })
    fc.assert(
      fc.property(hostile, (text) => {
        expect(splitStatements(`select ${quoteLiteral(text)}; select 2`)).toHaveLength(2)
      }),
    )
  })
})

describe('unquoteIdent', () => {
  it.each([
    ['loans', 'loans'],
    ['Loans', 'loans'],
    ['"Loans"', 'Loans'],
    ['"a""b"', 'a"b'],
    ['""""', '"'],
  ])('reads %s as %s', (text, name) => {
    expect(unquoteIdent(text)).toBe(name)
  })

  it('gives back what was quoted', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(unquoteIdent(quoteIdent(name))).toBe(name)
      }),
    )
  })
})
