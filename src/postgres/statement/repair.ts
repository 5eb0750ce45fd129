import { isGuardError } from './prelude.js'
import { SQL_STATE, sqlStateOf } from '../sql-state.js'
import type { TransactionStatus } from './wire.js'

/**
 * How a statement that failed through no fault of its own is helped.
 *
 * - `discard`: an earlier scope has left temporary tables that nobody saw;
 * - `parse again`: a migration changed the result of a prepared statement;
 * - `forget all`: somebody has dropped all prepared statements.
 */
export type RepairKind = 'discard' | 'parse again' | 'forget all'

/** What is done before a statement is run again. */
export interface Repair {
  readonly kind: RepairKind
  /** Statements that mend the connection. */
  readonly texts: readonly string[]
  /** The BEGIN of the scope, which has to open the transaction again. */
  readonly begin: string | undefined
}

/** A statement's error, and how far the statement got. */
export interface Failure {
  readonly error: Error
  /** The prelude was not answered: the statement itself was not begun. */
  readonly inPrelude: boolean
  readonly named: boolean
  /** The transaction status before the statement. */
  readonly status: TransactionStatus | null
  /** The BEGIN that was sent in front. */
  readonly begin: string | undefined
  /** The statement has a transaction block of its own. */
  readonly block: boolean
  /** What the caller has sent to open the transaction. */
  readonly opening: readonly string[]
}

/** The repair of a failure, if the statement can safely be run again. */
export function repairOf(failure: Failure): Repair | undefined {
  const { status, inPrelude, begin, block, opening } = failure
  const kind = kindOf(failure)
  const inTransaction = status !== 'I'
  // In a transaction only its first prelude can be helped: nothing but its opening has been run.
  if (kind === undefined || (inTransaction && !(inPrelude && opening.length > 0))) return undefined
  const texts = inTransaction || begin !== undefined || block ? ['rollback'] : []
  if (kind === 'discard') texts.push('discard temp')
  if (inTransaction) texts.push(...opening)
  return { kind, begin, texts }
}

function kindOf({ error, inPrelude, named }: Failure): RepairKind | undefined {
  const state = sqlStateOf(error)
  if (inPrelude && isGuardError(error)) return 'discard'
  if (state === SQL_STATE.noSuchStatement) return inPrelude || named ? 'forget all' : undefined
  const stale = state === SQL_STATE.cachedPlanChanged && error.message.includes('cached plan')
  return named && !inPrelude && stale ? 'parse again' : undefined
}
