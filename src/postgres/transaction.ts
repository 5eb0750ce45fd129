import { TenantryError } from '../errors.js'
import { optionInvalid } from '../support/options.js'

/** Isolation levels of PostgreSQL. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

/** What a transaction scope may ask for. */
export interface TransactionOptions {
  /** @defaultValue the server's default, usually `read committed` */
  readonly isolation?: IsolationLevel
  /** Refuses writes. */
  readonly readOnly?: boolean
  /** With `serializable` and `readOnly`: waits for a snapshot that cannot fail. */
  readonly deferrable?: boolean
}

const LEVELS: readonly string[] = ['read committed', 'repeatable read', 'serializable']

/**
 * The text of a BEGIN.
 *
 * @throws `OPTIONS_INVALID` for an unknown isolation level.
 * @see https://www.postgresql.org/docs/current/sql-begin.html
 */
export function beginText(options: TransactionOptions): string {
  const { isolation, readOnly, deferrable } = options
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    throw optionInvalid('isolation', `Option "isolation" must be one of ${LEVELS.join(', ')}.`)
  }
  return [
    'begin',
    isolation && `isolation level ${isolation}`,
    readOnly && 'read only',
    deferrable && 'deferrable',
  ]
    .filter(Boolean)
    .join(' ')
}

/** PostgreSQL answers COMMIT with ROLLBACK when a statement of the transaction has failed. */
export function requireCommitted(command: string, schema: string): void {
  if (command === 'COMMIT') return
  throw new TenantryError(
    'TRANSACTION_ROLLED_BACK',
    'A statement of the transaction failed and its error was not rethrown, so PostgreSQL rolled ' +
      'everything back. Let the error reach the scope, or use a savepoint around that statement.',
    { schema },
  )
}
