import { isError } from '../support/is-error.js'

/**
 * SQLSTATEs that the package acts upon, by name.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const SQL_STATE = {
  duplicateSchema: '42P06',
  duplicateTable: '42P07',
  insufficientPrivilege: '42501',
  invalidText: '22P02',
  cachedPlanChanged: '0A000',
  invalidSchemaName: '3F000',
  invalidTransactionTermination: '2D000',
  lockNotAvailable: '55P03',
  noSuchStatement: '26000',
  outOfMemory: '53200',
  undefinedTable: '42P01',
  uniqueViolation: '23505',
} as const

/** Errors after which the same transaction may well succeed when it is tried again. */
const TRANSIENT: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '08000', // connection_exception
  '08003', // connection_does_not_exist
  '08006', // connection_failure
])

/** The SQLSTATE of an error that the server sent, or `undefined` for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if (!('code' in error) || !('severity' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Tells whether an error passes by itself: a lock, a deadlock, a lost connection. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error)
  if (state !== undefined) return TRANSIENT.has(state)
  return isError(error) && (LOST.test(error.message) || LOST.test(codeOf(error)))
}

/** How pg and Node say that a connection was lost or never made. */
const LOST = /^Connection terminated|not queryable|ECONNRESET|ECONNREFUSED|EPIPE/

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** A server's ordinary error leaves the connection usable; a fatal one or the socket's does not. */
export function isLost(error: Error): boolean {
  const cause = error.cause ?? error
  if (sqlStateOf(cause) === undefined) return true
  return typeof cause === 'object' && 'severity' in cause && cause.severity !== 'ERROR'
}

/** What was thrown, as an error. */
export function toError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown))
}
