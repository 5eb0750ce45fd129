import { splitStatements } from '../../postgres/sql-text.js'
import {
  type AstNode,
  constantText,
  lastText,
  listIn,
  numberIn,
  optionIn,
  textsOf,
  unwrap,
} from './node.js'
import { type Parser, parseBlock, parseSql } from './parser.js'
import {
  type Locate,
  type Place,
  fromLine,
  byteOffsets,
  offsetOfCharacter,
  verbatim,
} from './place.js'
import { type EmbeddedSql, embeddedSql } from './plpgsql.js'
import { type Statement, type Visit, byteOf, walk } from './walk.js'
import { isError } from '../../support/is-error.js'

/** SQL of a file: the file itself, or what a routine or a DO block in it holds. */
export interface SqlPiece {
  readonly within: 'file' | 'do' | 'routine'
  readonly text: string
  readonly locate: Locate
  /** The offset in `text`, in UTF-16 units, of a byte. */
  readonly offsetOf: (byte: number) => number
  /** The `do` or `create function` statement that the piece is a part of. */
  readonly owner?: Statement
}

/** A text that could not be read. */
export interface Unreadable {
  readonly place: Place
  readonly message: string
  /** Whether PostgreSQL itself would refuse it for certain. */
  readonly certain: boolean
}

/** What was read of a file. */
export interface Reading {
  readonly statements: readonly Statement[]
  readonly visits: readonly Visit[]
  readonly unreadable: readonly Unreadable[]
}

/** Stands for a name that is known only when the text is put together. */
export const UNKNOWN_NAME = 'tenantry_unknown_name'

/** Reads a file, with all SQL in its routines and DO blocks. */
export function readFileText(parser: Parser, sql: string): Reading {
  const reader = new Reader(parser, sql)
  reader.read(
    { within: 'file', text: sql, locate: verbatim(sql), offsetOf: byteOffsets(sql) },
    true,
  )
  const visits = reader.statements.flatMap((statement) => [...walk(statement)])
  return { statements: reader.statements, unreadable: reader.unreadable, visits }
}

/** The place of a node in its file; the beginning of its statement where the parser says no more. */
export function placeOf(visit: Visit): Place {
  const { piece, start } = visit.statement
  const byte = byteOf(visit)
  return piece.locate(byte === undefined ? start : piece.offsetOf(byte))
}

class Reader {
  readonly statements: Statement[] = []
  readonly unreadable: Unreadable[] = []
  readonly #parser: Parser
  readonly #file: string

  constructor(parser: Parser, file: string) {
    this.#parser = parser
    this.#file = file
  }

  /** @param strict Whether a text that cannot be read is worth a word. */
  read(piece: SqlPiece, strict: boolean): void {
    const parsed = parseSql(this.#parser, piece.text)
    if (!parsed.ok) {
      const place = piece.locate(offsetOfCharacter(piece.text, parsed.character))
      if (strict) this.unreadable.push({ place, message: parsed.message, certain: true })
      return
    }
    for (const raw of parsed.statements) {
      const found = unwrap(raw['stmt'])
      if (!found) continue
      const statement = { ...found, piece, start: startOf(piece, raw) }
      this.statements.push(statement)
      if (piece.within === 'file') this.#readBody(statement, raw)
    }
  }

  #readBody(statement: Statement, raw: AstNode): void {
    const body = bodyOf(statement)
    if (body === undefined) return
    const within = statement.kind === 'DoStmt' ? 'do' : 'routine'
    const origin = this.#file.indexOf(body.text, statement.start)
    const locate =
      origin === -1 ? fromLine(lineOf(statement), body.text) : verbatim(this.#file, origin)
    const { text } = body
    const whole = { within, text, locate, offsetOf: byteOffsets(text), owner: statement } as const
    if (body.language === 'sql') return this.read(whole, true)
    const tree = parseBlock(this.#parser, textOf(statement.piece, raw))
    if (isError(tree)) {
      const { message } = tree
      // Other complaints may be about what only a database knows.
      const certain = message.startsWith('syntax error')
      this.unreadable.push({ place: locate(0), message, certain })
      return
    }
    for (const each of embeddedSql(tree)) this.#readEmbedded(whole, each)
  }

  #readEmbedded(body: SqlPiece, embedded: EmbeddedSql): void {
    const { text, whole, executed } = embedded
    const offsetOf = byteOffsets(text)
    const piece = { ...body, text, locate: locateIn(body, embedded), offsetOf }
    if (!executed) return this.read(piece, whole)
    const run = executedText(this.#parser, text)
    const { line } = piece.locate(embedded.added)
    if (run === undefined) return
    const locate: Locate = () => ({ line })
    this.read({ ...body, text: run, locate, offsetOf: byteOffsets(run) }, false)
  }
}

interface Body {
  readonly text: string
  readonly language: 'sql' | 'plpgsql'
}

function bodyOf({ kind, node }: Statement): Body | undefined {
  const options = kind === 'DoStmt' ? 'args' : kind === 'CreateFunctionStmt' ? 'options' : undefined
  if (options === undefined) return undefined
  const [text] = textsOf(optionIn(node, options, 'as')?.['arg'])
  const [named = 'plpgsql'] = textsOf(optionIn(node, options, 'language')?.['arg'])
  const language = named.toLowerCase()
  if (text === undefined || (language !== 'sql' && language !== 'plpgsql')) return undefined
  return { text, language }
}

/** Finds the embedded text in its body, from its line on; PL/pgSQL takes the INTO out of some. */
function locateIn({ text: body, locate }: SqlPiece, { text, added, line }: EmbeddedSql): Locate {
  const from = body
    .split('\n')
    .slice(0, line - 1)
    .join('\n').length
  const found = body.indexOf(text.slice(added), from)
  if (found === -1) return fromLine(locate(0).line + line - 1, text)
  return (offset) => locate(found + Math.max(0, offset - added))
}

/** The text that `execute` runs, if it is constant but for names and values. */
function executedText(parser: Parser, select: string): string | undefined {
  const parsed = parseSql(parser, select)
  const [raw] = parsed.ok ? parsed.statements : []
  const [target] = listIn(unwrap(raw?.['stmt'])?.node, 'targetList').map(unwrap)
  const value = target?.node['val']
  const call = unwrap(value)
  if (call?.kind !== 'FuncCall' || lastText(call.node['funcname']) !== 'format') {
    return constantText(value)
  }
  return constantText(listIn(call.node, 'args')[0])?.replaceAll(
    /%(?:\d+\$)?([IsL%])/g,
    (_, kind: string) => ({ '%': '%', L: "''" })[kind] ?? UNKNOWN_NAME,
  )
}

function lineOf({ piece, start }: Statement): number {
  return piece.locate(start).line
}

/** A statement's own offset counts from the end of the one before, comments included. */
function startOf(piece: SqlPiece, raw: AstNode): number {
  const from = piece.offsetOf(numberIn(raw, 'stmt_location') ?? 0)
  return from + (splitStatements(textOf(piece, raw))[0]?.start ?? 0)
}

function textOf({ text, offsetOf }: SqlPiece, raw: AstNode): string {
  const from = numberIn(raw, 'stmt_location') ?? 0
  const length = numberIn(raw, 'stmt_len')
  return text.slice(offsetOf(from), length === undefined ? undefined : offsetOf(from + length))
}
