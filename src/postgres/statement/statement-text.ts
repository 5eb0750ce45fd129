import { TenantryError } from '../../errors.js'
import { judged } from '../../support/judged-text.js'
import { isSingleStatement, splitStatements } from '../sql-text.js'
import { goesOnAfterCommit, isTransactionControl } from '../transaction-control.js'
import { type PgQuery, type Submittable, isPgQuery, textOf } from './wire.js'
import { present } from '../../support/present.js'

/** What of a scope decides how its statements are run. */
export interface TextRules {
  readonly schema: string
  /** The scope opened the transaction and will end it. */
  readonly ownsTransaction: boolean
  /** The path is the session's own and outlives its transactions. */
  readonly fixed?: boolean
}

/**
 * Chooses the protocol of a query without values, and says why a statement cannot be run.
 *
 * One statement goes by the extended protocol, because a single simple Query behind a prelude is
 * not committed; a text of several statements needs the simple one.
 */
export function chooseProtocol(statement: Submittable, rules: TextRules): Error | undefined {
  const text = textOf(statement)
  if (rules.ownsTransaction && endsOwnTransaction(text)) return ownTransaction(rules.schema)
  if (rules.fixed) return dropsPath(text) ? pathDropped(rules.schema) : undefined
  if (isPgQuery(statement)) return chooseForQuery(statement, text, rules.schema)
  if (callsRoutine(text)) return routineInCursor(rules.schema)
  // A cursor takes one statement; a COPY stream is a simple Query and takes several.
  return !isSingleStatement(text) && goesOnAfterCommit(text) ? goesOn(rules.schema) : undefined
}

function chooseForQuery(query: PgQuery, text: string, schema: string): Error | undefined {
  if (readsStream(text)) return streamMissing(schema)
  if (query.requiresPreparation()) return undefined
  if (isSingleStatement(text)) query.queryMode = 'extended'
  else if (goesOnAfterCommit(text)) return goesOn(schema)
  return undefined
}

const MAY_DROP_PATH = /\b(discard|reset)\b/i
const WITH_PATH: ReadonlySet<string> = new Set(['discard all', 'reset all', 'reset search_path'])

/** Tells whether a text resets the path of a session, so that what follows would run without it. */
export function dropsPath(text: string): boolean {
  if (!MAY_DROP_PATH.test(text)) return false
  return splitStatements(text).some(({ words }) => WITH_PATH.has(words.slice(0, 2).join(' ')))
}

const MAY_READ_STREAM = /\bfrom\b[^;]*\bstdin\b/i

/** Without a stream there is nothing to read, and the extended protocol would wait for ever. */
const readsStream = judged((text) => {
  if (!MAY_READ_STREAM.test(text)) return false
  const [only, ...more] = splitStatements(text)
  return more.length === 0 && only?.words[0] === 'copy'
})

const MAY_CALL = /^[\s;]*(call|do|--|\/\*)/i

/**
 * Tells whether a text is a CALL or a DO: its procedure could commit, and go on without the path.
 *
 * PostgreSQL forbids that in a transaction block, so these are run in one. A text of several
 * statements is one already.
 */
export const callsRoutine: (text: string) => boolean = judged((text) => {
  if (!MAY_CALL.test(text)) return false
  const [only, ...more] = splitStatements(text)
  const first = only?.words[0]
  return more.length === 0 && (first === 'call' || first === 'do')
})

const NAMED_AT_BEST: ReadonlySet<string> = new Set([
  'select',
  'insert',
  'update',
  'delete',
  'with',
  'values',
  'merge',
])
const FIRST_WORD = /^\s*([a-z]+)/i

/** Tells whether preparing a text under a name is worth it; utility statements have no plan. */
export const hasPlan: (text: string) => boolean = judged((text) => {
  const first = FIRST_WORD.exec(text)?.[1]?.toLowerCase() ?? ''
  return NAMED_AT_BEST.has(first) && isSingleStatement(text)
})

/** `ROLLBACK TO` a savepoint and SAVEPOINT itself are a scope's own business. */
function endsOwnTransaction(text: string): boolean {
  if (!isTransactionControl(text))
    return splitStatements(text).length > 1 && goesOnAfterCommit(`${text};select`)
  const [first = '', second = '', third = ''] = present(splitStatements(text)[0]).words
  if (first === 'set') return false
  return second !== 'to' && third !== 'to'
}

function refused(schema: string, sentence: string): TenantryError {
  return new TenantryError('STATEMENT_REFUSED', sentence, { schema })
}

function goesOn(schema: string): TenantryError {
  return refused(
    schema,
    'The text ends its transaction and goes on, and what follows would run outside of the ' +
      `schema "${schema}". Send what follows the COMMIT or ROLLBACK as a query of its own.`,
  )
}

/** The error of a statement that {@link dropsPath} has found. */
export function pathDropped(schema: string): TenantryError {
  return refused(
    schema,
    'DISCARD ALL, RESET ALL and RESET search_path would take the path of a session scope away. ' +
      'Reset what you have set by its name.',
  )
}

function ownTransaction(schema: string): TenantryError {
  return refused(
    schema,
    'The scope opened this transaction and will end it. Return from the function to commit, ' +
      'throw to roll back, or leave { transaction: true } away to control it yourself.',
  )
}

function routineInCursor(schema: string): TenantryError {
  return refused(schema, 'CALL and DO cannot be run by a cursor or stream. Send them as a query.')
}

function streamMissing(schema: string): TenantryError {
  return refused(schema, 'COPY … FROM STDIN needs a stream: send it with pg-copy-streams.')
}
