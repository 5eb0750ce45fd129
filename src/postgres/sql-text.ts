/** One statement of an SQL text. */
export interface SqlStatement {
  /** Offset of its first character that is neither space nor comment, in UTF-16 units. */
  readonly start: number
  /** Offset behind its last character; the semicolon is not part of it. */
  readonly end: number
  /** Its first words in lower case, at most three, without comments: `create table loans`. */
  readonly words: readonly string[]
}

const TOKEN =
  /--[^\n\r]*|\/\*|\s+|[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d+|[^]/y
const COMMENT_EDGE = /\/\*|\*\//g
const FIRST_WORDS = 3

/**
 * Splits an SQL text into its statements, as psql does: semicolons in strings, quoted names,
 * dollar quotes, comments, parentheses and `begin atomic` bodies do not end one.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function splitStatements(text: string): readonly SqlStatement[] {
  const statements: SqlStatement[] = []
  let open = newStatement()
  for (const token of tokens(text)) {
    if (token.kind === 'blank') continue
    if (token.kind === 'end' && open.depth === 0 && open.parentheses === 0) {
      if (open.start !== undefined) statements.push(finished(open, open.start))
      open = newStatement()
      continue
    }
    extend(open, token)
  }
  if (open.start !== undefined) statements.push(finished(open, open.start))
  return statements
}

/** Tells whether a text is one statement; cheap for the usual text, which has no semicolon inside. */
export function isSingleStatement(text: string): boolean {
  const semicolon = text.indexOf(';')
  if (semicolon === -1 || text.slice(semicolon + 1).trim() === '') return true
  return splitStatements(text).length <= 1
}

interface Token {
  readonly kind: 'blank' | 'word' | 'end' | 'other'
  readonly start: number
  readonly end: number
  /** The token itself, in lower case for a word. */
  readonly text: string
}

interface OpenStatement {
  start: number | undefined
  end: number
  readonly words: string[]
  /** How many `begin atomic` and `case` are open; only counted in a routine's definition. */
  depth: number
  parentheses: number
  lastWord: string
}

function newStatement(): OpenStatement {
  return { start: undefined, end: 0, words: [], depth: 0, parentheses: 0, lastWord: '' }
}

function finished({ end, words }: OpenStatement, start: number): SqlStatement {
  return { start, end, words }
}

function extend(open: OpenStatement, token: Token): void {
  open.start ??= token.start
  open.end = token.end
  if (token.text === '(') open.parentheses += 1
  if (token.text === ')') open.parentheses -= 1
  if (token.kind === 'word') addWord(open, token.text)
  open.lastWord = token.text
}

function addWord(open: OpenStatement, word: string): void {
  if (open.words.length < FIRST_WORDS) open.words.push(word)
  const opensBody = word === 'atomic' && open.lastWord === 'begin'
  if (opensBody || (open.depth > 0 && word === 'case')) open.depth += 1
  if (open.depth > 0 && word === 'end') open.depth -= 1
}

function* tokens(text: string): Generator<Token> {
  let start = 0
  while (start < text.length) {
    TOKEN.lastIndex = start
    const raw = TOKEN.exec(text)?.[0] ?? text.slice(start)
    const end = endOfToken(text, raw, start)
    yield { kind: kindOf(raw), start, end, text: raw.toLowerCase() }
    start = end
  }
}

function kindOf(raw: string): Token['kind'] {
  if (raw === ';') return 'end'
  if (/^(\s|--|\/\*)/.test(raw)) return 'blank'
  return /^[a-z_\u0080-\uffff][\w$\u0080-\uffff]*$/i.test(raw) ? 'word' : 'other'
}

/** Comments nest, and a dollar quote ends at its own tag: neither is one regular expression. */
function endOfToken(text: string, raw: string, start: number): number {
  const end = start + raw.length
  if (raw === '/*') return endOfComment(text, end)
  if (raw.length < 2 || !raw.startsWith('$') || !raw.endsWith('$')) return end
  const close = text.indexOf(raw, end)
  return close === -1 ? text.length : close + raw.length
}

function endOfComment(text: string, from: number): number {
  COMMENT_EDGE.lastIndex = from
  for (let depth = 1; depth > 0;) {
    const edge = COMMENT_EDGE.exec(text)
    if (edge === null) return text.length
    depth += edge[0] === '/*' ? 1 : -1
  }
  return COMMENT_EDGE.lastIndex
}
