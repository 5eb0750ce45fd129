import { judged } from '../support/judged-text.js'
import { type SqlStatement, splitStatements } from './sql-text.js'

const ENDS: ReadonlySet<string> = new Set(['commit', 'end', 'rollback', 'abort'])
const BEGINS: ReadonlySet<string> = new Set(['begin', 'start'])
const CONTROLS: ReadonlySet<string> = new Set([...ENDS, ...BEGINS])

/** What cannot be judged by its first characters is lexed; most texts are not. */
const MAY_CONTROL = /^\s*(begin|start|commit|end|rollback|abort|prepare|set|--|\/\*)/i

/**
 * Tells whether a text is one statement that controls the transaction and can read no table.
 *
 * Such a statement goes out without a prelude: `begin isolation level …` must come before any
 * query of its transaction. A savepoint has one in front, so that going back to it keeps the path.
 */
export const isTransactionControl: (text: string) => boolean = judged((text) => {
  if (!MAY_CONTROL.test(text)) return false
  const [only, ...more] = splitStatements(text)
  return only !== undefined && more.length === 0 && controls(only)
})

function controls({ words: [first = '', second = '', third = ''] }: SqlStatement): boolean {
  if (CONTROLS.has(first)) return true
  if (first === 'prepare') return second === 'transaction'
  return first === 'set' && (second === 'transaction' || third === 'transaction')
}

/**
 * Tells whether a text ends its transaction and then goes on: what follows would run without the
 * path, which is gone with the transaction.
 */
export function goesOnAfterCommit(text: string): boolean {
  const statements = splitStatements(text)
  const end = statements.findIndex((statement) => controlOf(statement) === 'end')
  return end !== -1 && end < statements.length - 1
}

/** What a statement does to its transaction; going back to a savepoint does nothing. */
export function controlOf({ words }: SqlStatement): 'begin' | 'end' | undefined {
  const [first = '', second = '', third = ''] = words
  if (BEGINS.has(first)) return 'begin'
  if (first === 'prepare') return second === 'transaction' ? 'end' : undefined
  return ENDS.has(first) && second !== 'to' && third !== 'to' ? 'end' : undefined
}

/** Tells whether a statement of a text begins or ends a transaction; going back to a savepoint does not. */
export function crossesTransaction(text: string): boolean {
  return splitStatements(text).some((statement) => controlOf(statement) !== undefined)
}
