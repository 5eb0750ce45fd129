import { splitStatements } from '../../postgres/sql-text.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import { isRedundant, takesBack } from './one-transaction.js'
import type { Migration } from '../source.js'
import { isError } from '../../support/is-error.js'

/** Most files have none of these words, and are not lexed for this. */
const MAY_BE = /\b(commit|end|begin|start)\b/i
const OWN_MODE = /\b(isolation|deferrable|read\s+only)\b/i
const BLOCKS: ReadonlySet<string> = new Set(['do', 'call'])

/**
 * Tells whether a file wants transactions of its own: something follows a COMMIT, or a transaction
 * begins with an isolation level. One BEGIN and COMMIT around the file want no other transaction than
 * the one that the file is a part of anyway.
 */
export function wantsOwnTransactions(sql: string): boolean {
  if (!MAY_BE.test(sql)) return false
  const statements = splitStatements(sql)
  // What takes work back is refused, in whatever transaction.
  if (statements.some(takesBack)) return false
  const ended = statements.findIndex(
    (statement) => isRedundant(statement) && /^(commit|end)$/.test(statement.words[0] ?? ''),
  )
  if (ended !== -1 && !statements.slice(ended).every(isRedundant)) return true
  return statements.some(
    (statement) =>
      isRedundant(statement) && OWN_MODE.test(sql.slice(statement.start, statement.end)),
  )
}

const learnt = new WeakSet<Migration>()
const lessons = new WeakSet<Error>()

/**
 * Learns from an error of the server that a block or a procedure of a migration commits, which its
 * text need not tell.
 *
 * @see https://www.postgresql.org/docs/current/plpgsql-transactions.html
 */
export function learnFrom(error: unknown, migration: Migration | undefined): void {
  if (migration === undefined || !isError(error)) return
  if (sqlStateOf(error) !== SQL_STATE.invalidTransactionTermination) return
  // A function that is called in a query can commit nowhere.
  if (!splitStatements(migration.sql).some(({ words: [first = ''] }) => BLOCKS.has(first))) return
  learnt.add(migration)
  lessons.add(error)
}

/** Whether an earlier attempt has shown that a migration commits on its way. */
export function isKnownToCommit(migration: Migration): boolean {
  return learnt.has(migration)
}

/** Whether an error has taught that its migration commits, so that the next attempt goes another way. */
export function isLesson(error: unknown): boolean {
  return isError(error) && lessons.has(error)
}
