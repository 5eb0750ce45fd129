/** The line of `postgres-migrations` that keeps a file out of the transaction of the others. */
export const NO_TRANSACTION_MARKER = '-- postgres-migrations disable-transaction'

const MARKER = /--\s*postgres-migrations\s+disable-transaction/i

/** Tells whether a file has the marker, in whatever case and with whatever blanks. */
export function hasNoTransactionMarker(sql: string): boolean {
  return MARKER.test(sql)
}
