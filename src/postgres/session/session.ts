import type { PoolClient } from 'pg'
import type { Callback, QueryCall } from '../statement/query-call.js'
import type { NamingRules } from '../statement/statement-name.js'

/** How the transaction of a session stands. */
export type TransactionState = 'none' | 'open' | 'failed'

/** One client while it answers for one schema. */
export interface Session {
  readonly client: PoolClient
  readonly schema: string
  /** Runs a call behind those before it; `settle` hears of its end unless the caller's object does. */
  run(call: QueryCall, settle: Callback): void
  /** Resolves when no statement runs and the server is ready for the next. */
  idle(): Promise<void>
  /** Nothing runs, nothing is open, the path is not the session's: it can go back as it is. */
  readonly atRest: boolean
  /** True once `idle` has resolved, if a transaction is open. */
  transaction(): TransactionState
  /** A cursor or stream that nobody reads to its end holds the connection. */
  readonly held: boolean
  /** Why the client cannot be used again, if it cannot. */
  readonly broken: Error | undefined
  /** Fails what has not been sent, and asks the server to stop what runs. */
  abandon(reason: Error): void
  /** Marks the client as one that must not go back to the pool. */
  break(reason: Error): void
}

/** What decides how the statements of a session are run. */
export interface SessionRules {
  /** The BEGIN of a transaction that the scope owns. */
  readonly begin?: string | undefined
  /** The path is set for the whole session: statements travel without a prelude. */
  readonly fixed?: boolean | undefined
  readonly naming: NamingRules
}
