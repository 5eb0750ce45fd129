import { TenantryError } from '../../errors.js'
import { type AstNode, isNode, listIn, nodeIn, numberIn } from './node.js'
import { isError, reasonOf } from '../../support/is-error.js'
import { toError } from '../../postgres/sql-state.js'

/** What the linter needs of `libpg-query`. */
export interface Parser {
  readonly parseSync: (sql: string) => unknown
  readonly parsePlPgSQLSync: (sql: string) => unknown
}

/** What a text was read as, or why it could not be read. */
export type Parsed =
  | { readonly ok: true; readonly statements: readonly AstNode[] }
  | { readonly ok: false; readonly message: string; readonly character: number }

/**
 * Loads PostgreSQL's own parser, which is installed apart because of its size.
 *
 * @throws `LINT_PARSER_MISSING`
 */
export async function loadParser(): Promise<Parser> {
  try {
    const parser = await import('libpg-query')
    await parser.loadModule()
    return parser
  } catch (error) {
    throw new TenantryError(
      'LINT_PARSER_MISSING',
      'The linter reads SQL with the package libpg-query, which cannot be loaded. ' +
        'Run `npm install --save-dev libpg-query` in the project.',
      { cause: error },
    )
  }
}

/** Reads SQL. */
export function parseSql(parser: Parser, sql: string): Parsed {
  // The parser refuses a text of blanks only.
  if (sql.trim() === '') return { ok: true, statements: [] }
  try {
    const tree = parser.parseSync(sql)
    return { ok: true, statements: isNode(tree) ? listIn(tree, 'stmts').filter(isNode) : [] }
  } catch (error) {
    return { ok: false, message: reasonOf(error), character: characterOf(error) }
  }
}

/** Reads the PL/pgSQL in one `do` or `create function` statement. */
export function parseBlock(parser: Parser, statement: string): unknown {
  try {
    return parser.parsePlPgSQLSync(statement)
  } catch (error) {
    return toError(error)
  }
}

function characterOf(error: unknown): number {
  const details = isError(error) && isNode(error) ? nodeIn(error, 'sqlDetails') : undefined
  return Math.max(0, numberIn(details, 'cursorPosition') ?? 0)
}
