import { unquoteIdent } from '../../names/schema-name.js'
import { splitStatements } from '../../postgres/sql-text.js'
import { blankOut } from '../transaction/blank-out.js'
import type { Migration } from '../source.js'

/** A statement of a migration that makes an extension, or drops one. */
export interface ExtensionStatement {
  readonly does: 'create' | 'drop'
  readonly name: string
  /** Offsets in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

/** Most files have no such word, and are not lexed for this. */
const MAY_BE = /\bextension\b/i
const INNERMOST_COMMENT = /\/\*(?:(?!\/\*|\*\/)[^])*\*\//g
const BLANKS = /(?:--[^\n]*|\s)+/g
/** Before a quotation mark no space is needed. */
const FORM =
  /^(create|drop) extension ?(?:if (?:not )?exists ?)?((?:u&)?"(?:[^"]|"")*"|[^\s;,"]+)(?: ?uescape ?'(.)')?/i

/** The statements of a text that are about extensions. A `DO` block is not looked into. */
function extensionStatements(sql: string): readonly ExtensionStatement[] {
  if (!MAY_BE.test(sql)) return []
  return splitStatements(sql).flatMap(({ start, end }) => {
    const [, verb = '', name, escape] = FORM.exec(inOneLine(sql.slice(start, end))) ?? []
    if (name === undefined) return []
    return [
      {
        does: verb.toLowerCase() === 'drop' ? 'drop' : 'create',
        name: nameIn(name, escape),
        start,
        end,
      },
    ]
  })
}

/**
 * The name that is written; `u&"d\0061ta"` has code points in it.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS-UESCAPE
 */
function nameIn(written: string, escape = '\\'): string {
  if (!/^u&"/i.test(written)) return unquoteIdent(written)
  const sign = `\\u${escape.charCodeAt(0).toString(16).padStart(4, '0')}`
  const form = new RegExp(
    `${sign}(?:(${sign})|([0-9a-f]{4})|\\+((?:0[0-9a-f]|10)[0-9a-f]{4}))`,
    'gi',
  )
  return unquoteIdent(written.slice(2)).replaceAll(
    form,
    (_all, itself: string | undefined, short: string | undefined, long = '') =>
      itself ?? String.fromCodePoint(parseInt(short ?? long, 16)),
  )
}

/** Comments are blanks, and may be nested. */
function inOneLine(statement: string): string {
  const outer = statement.replaceAll(INNERMOST_COMMENT, ' ')
  return outer === statement ? outer.replaceAll(BLANKS, ' ') : inOneLine(outer)
}

/** What a migration says of extensions, there and back, and what is left of it without that. */
interface Known {
  readonly there: readonly ExtensionStatement[]
  readonly back: readonly ExtensionStatement[]
}

const known = new WeakMap<Migration, Known>()

/**
 * The same migration without what makes extensions: the configuration makes them, once for all
 * schemas. Every character keeps its place, and the hash is that of the file.
 */
export function withoutExtensions(migration: Migration): Migration {
  const { sql, down } = migration
  const there = extensionStatements(sql)
  const back = extensionStatements(down ?? '')
  if (there.length === 0 && back.length === 0) return migration
  const rest: Migration = {
    ...migration,
    sql: blank(sql, there),
    ...(down !== undefined && { down: blank(down, back) }),
  }
  known.set(rest, { there, back })
  return rest
}

/** What was taken out of a migration by {@link withoutExtensions}, and what it drops. */
export function takenOut(
  migration: Migration,
  way: 'there' | 'back',
): readonly ExtensionStatement[] {
  return known.get(migration)?.[way] ?? []
}

function blank(text: string, statements: readonly ExtensionStatement[]): string {
  return statements.reduce(blankOut, text)
}
