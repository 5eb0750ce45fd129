import { type AstNode, isNode, nodeIn, numberIn, textIn } from './node.js'

/** A piece of SQL inside of PL/pgSQL. */
export interface EmbeddedSql {
  /** A whole statement; an expression has `select` written in front. */
  readonly text: string
  /** How many characters of `text` do not stand in the file. */
  readonly added: number
  /** One-based line in the body. */
  readonly line: number
  /** What `execute` runs: `text` selects the text to run. */
  readonly executed: boolean
  /** A whole statement of the author's, not a part of one. */
  readonly whole: boolean
}

const SELECT = 'select '
const ENDS = ['commit', 'rollback'] as const
/** Whose query is a text that is made while the body runs. */
const EXECUTING: ReadonlySet<string> = new Set([
  'PLpgSQL_stmt_dynexecute',
  'PLpgSQL_stmt_dynfors',
  'dynquery',
])
/** How the parser numbers what an expression is: a statement, an expression, assignments. */
const STATEMENT = 0
const EXPRESSION = 2

/** Finds all SQL in the parse tree of PL/pgSQL. */
export function embeddedSql(tree: unknown): readonly EmbeddedSql[] {
  const found: EmbeddedSql[] = []
  collect(tree, { line: 1, executed: false }, found)
  return found
}

interface Context {
  readonly line: number
  readonly executed: boolean
}

function collect(input: unknown, context: Context, found: EmbeddedSql[]): void {
  if (Array.isArray(input)) for (const each of input) collect(each, context, found)
  if (!isNode(input)) return
  const line = numberIn(input, 'lineno') ?? context.line
  const expression = nodeIn(input, 'PLpgSQL_expr')
  if (expression) found.push(expressionIn(expression, { ...context, line }))
  found.push(...transactionEnds(input, line))
  for (const [field, value] of Object.entries(input)) {
    if (field === 'PLpgSQL_expr') continue
    collect(value, { line, executed: isExecuted(field, context) }, found)
  }
}

function isExecuted(field: string, { executed }: Context): boolean {
  return EXECUTING.has(field) || (executed && field === 'query')
}

/** The body may end its transaction, which is no SQL to PL/pgSQL. */
function transactionEnds(input: AstNode, line: number): readonly EmbeddedSql[] {
  return ENDS.flatMap((text) => {
    const end = nodeIn(input, `PLpgSQL_stmt_${text}`)
    const own = end && (numberIn(end, 'lineno') ?? line)
    return own ? [{ text, added: 0, line: own, executed: false, whole: true }] : []
  })
}

function expressionIn(expression: AstNode, context: Context): EmbeddedSql {
  const query = textIn(expression, 'query') ?? ''
  const mode = numberIn(expression, 'parseMode') ?? STATEMENT
  if (mode === STATEMENT) {
    // PL/pgSQL itself puts SELECT in the place of PERFORM.
    const performed = /^\s*SELECT\s/.exec(query)
    return { ...context, text: query, added: performed?.[0].length ?? 0, whole: true }
  }
  const value = mode === EXPRESSION ? query : query.replace(/^[^=]*:?=/, '')
  return { ...context, text: SELECT + value, added: SELECT.length, whole: false }
}
