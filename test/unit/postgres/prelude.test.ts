import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { explainPrelude, isGuardError, preludeOf } from '../../../src/postgres/statement/prelude.js'
import { serverError } from './server-error.js'

const ACME = parseSchemaName('tenant_acme')
const PATH = '"tenant_acme", "public", pg_temp'

describe('preludeOf', () => {
  it('has the same texts for all schemas, which are values', () => {
    const [one, other] = ['a', 'b'].map((name) => preludeOf(parseSchemaName(name), `"${name}"`))
    expect(one?.enter.text).toBe(other?.enter.text)
    expect(one?.stay.text).toBe(other?.stay.text)
    expect(one?.sessionText).toBe(other?.sessionText)
    expect(one?.values).toEqual(['"a"', 'a'])
  })

  it('sets what ends with the transaction, and for a session what does not', () => {
    const { enter, stay, sessionText } = preludeOf(ACME, PATH, { settings: { role: 'reader' } })
    for (const { text } of [enter, stay]) {
      expect(text).toContain(`set_config('search_path', $1, true)`)
      expect(text).toContain('set_config($3, $4, true)')
      expect(text).not.toContain('false')
    }
    expect(sessionText).toContain(`set_config('search_path', $1, false)`)
    expect(sessionText).toContain('set_config($3, $4, false)')
    expect(sessionText).not.toContain('true')
  })

  it('never makes settings a part of its texts', () => {
    const names = fc.string({ minLength: 1, unit: 'binary' }).map((name) => `x${name}`)
    fc.assert(
      fc.property(fc.dictionary(names, fc.string(), { maxKeys: 4 }), (settings) => {
        const prelude = preludeOf(ACME, PATH, { settings })
        const entries = Object.entries(settings)
        expect(prelude.values).toEqual([PATH, ACME, ...entries.flat()])
        const same = preludeOf(ACME, PATH, {
          settings: Object.fromEntries(entries.map((_, at) => [`k${at}`, ''])),
        })
        expect(prelude.enter.text).toBe(same.enter.text)
        expect(prelude.sessionText).toBe(same.sessionText)
      }),
      { numRuns: 40 },
    )
  })

  it('names its forms apart, and by the number of settings', () => {
    const plain = preludeOf(ACME, PATH)
    const set = preludeOf(ACME, PATH, { settings: { role: 'reader' } })
    const names = [plain.enter, plain.stay, set.enter, set.stay].map(({ name }) => name)
    expect(new Set(names).size).toBe(4)
    expect(preludeOf(parseSchemaName('b'), '"b"').enter.name).toBe(plain.enter.name)
  })

  it('has texts of its own for a schema that is known by its identity, which is a value', () => {
    const identity = { oid: '16384', onReplaced: () => {} }
    const settings = { role: 'reader' }
    const [plain, known] = [undefined, identity].map((each) =>
      preludeOf(ACME, PATH, { settings, identity: each }),
    )
    expect(known?.values).toEqual([PATH, ACME, 'role', 'reader', '16384'])
    for (const form of ['enter', 'stay'] as const) {
      expect(known?.[form].text).toContain('when $5 then')
      expect(known?.[form].name).not.toBe(plain?.[form].name)
    }
  })

  it('is made of Parse, Bind and Execute, and of no Sync', () => {
    for (const { unnamed, prepare, execute } of [preludeOf(ACME, PATH).enter]) {
      expect(messagesOf(unnamed)).toBe('PBE')
      expect(messagesOf(prepare)).toBe('PBE')
      expect(messagesOf(execute)).toBe('BE')
    }
  })

  it('counts the bytes of its values, not their characters', () => {
    const { enter } = preludeOf(ACME, PATH, { settings: { 'app.tenant': 'Bücher 😀' } })
    expect(messagesOf(enter.unnamed)).toBe('PBE')
    expect(enter.unnamed.includes(Buffer.from('Bücher 😀'))).toBe(true)
  })
})

/** The types of the messages in some bytes, whose lengths must add up. */
function messagesOf(bytes: Buffer): string {
  if (bytes.length === 0) return ''
  const end = 1 + bytes.readInt32BE(1)
  return String.fromCodePoint(bytes.readUInt8(0)) + messagesOf(bytes.subarray(end))
}

describe('isGuardError', () => {
  it.each([
    'schema "" does not exist',
    'Schema »« existiert nicht',
    'le schéma «  » n’existe pas',
    'no existe el esquema «»',
    'схема "" не существует',
    'スキーマ""は存在しません',
  ])('knows the guard in any language: %s', (message) => {
    expect(isGuardError(serverError('3F000', message))).toBe(true)
  })

  it.each([
    'schema "a" does not exist',
    'Schema »a« existiert nicht',
    'le schéma « a » n’existe pas',
    'no existe el esquema «a»',
  ])('does not take a missing schema for it: %s', (message) => {
    expect(isGuardError(serverError('3F000', message))).toBe(false)
  })

  it('does not take another error for it', () => {
    expect(isGuardError(serverError('42602', 'invalid name syntax: ""'))).toBe(false)
    expect(isGuardError(new Error('""'))).toBe(false)
    expect(isGuardError(undefined)).toBe(false)
  })
})

describe('explainPrelude', () => {
  const prelude = preludeOf(ACME, PATH)

  it('says that another schema has the name, and tells whoever has to know', () => {
    let told = 0
    const identity = { oid: '16384', onReplaced: () => (told += 1) }
    const known = preludeOf(ACME, PATH, { identity })
    const cause = serverError('22P02', `invalid input syntax for type boolean: "${PATH}"`)
    expect(explainPrelude(cause, known)).toMatchObject({
      code: 'SCHEMA_MISSING',
      schema: ACME,
      sqlState: '22P02',
      cause,
    })
    expect(told).toBe(1)
    expect(explainPrelude(cause, prelude)).toBe(cause)
    expect(explainPrelude(serverError('22P02', 'invalid: "x"'), known)).not.toHaveProperty('schema')
  })

  it('says that the schema is missing, and keeps the cause', () => {
    const cause = serverError('3F000', 'schema "tenant_acme" does not exist')
    expect(explainPrelude(cause, prelude)).toMatchObject({
      code: 'SCHEMA_MISSING',
      schema: ACME,
      sqlState: '3F000',
      cause,
    })
  })

  it('leaves every other error as it is', () => {
    for (const error of [serverError('22023', 'invalid value'), new Error('lost')]) {
      expect(explainPrelude(error, prelude)).toBe(error)
    }
  })
})
