import { isGuardError } from './prelude.js'
import { SQL_STATE, sqlStateOf } from './sql-state.js'

/** What is done before a statement that failed through no fault of its own is run again. */
export interface Repair {
  /** Statements that mend the connection. */
  readonly texts: readonly string[]
  /** The BEGIN that has to open the transaction again. */
  readonly begin: string | undefined
  /** The connection is free of temporary tables now, whatever the server says of its schema. */
  readonly entered?: boolean
}

/**
 * Which repair an error calls for, if the statement can safely be run again: it was not begun.
 *
 * - `discard`: an earlier scope has left temporary tables that nobody saw;
 * - `parse again`: a migration changed the result of a prepared statement;
 * - `forget all`: somebody has dropped all prepared statements.
 */
export type RepairKind = 'discard' | 'parse again' | 'forget all'

/** Decides by the error alone; `inPrelude` when the statement itself was not reached. */
export function repairFor(
  error: Error,
  { inPrelude, named }: { readonly inPrelude: boolean; readonly named: boolean },
): RepairKind | undefined {
  const state = sqlStateOf(error)
  if (inPrelude && isGuardError(error)) return 'discard'
  if ((inPrelude || named) && state === SQL_STATE.noSuchStatement) return 'forget all'
  if (inPrelude || !named) return undefined
  const stale = state === SQL_STATE.cachedPlanChanged && /cached plan/.test(error.message)
  return stale ? 'parse again' : undefined
}
