import type { Submittable, WireConnection } from './wire.js'

/**
 * PostgreSQL does not commit a single simple Query that follows a prelude without a Sync between
 * them; it commits a Query of several statements. This second one does nothing: it sets, for the
 * transaction that ends with it, what is the default anyway.
 */
const SECOND_STATEMENT = '\n;set local lock_timeout to default'

/**
 * Tells whether a statement is a stream of pg-copy-streams.
 *
 * Such a stream sends a simple Query itself, and a `COPY … TO STDOUT` reads the socket itself from
 * then on: it must not be submitted before the prelude has been answered.
 */
export function isCopyStream(statement: Submittable): boolean {
  return statement.handleRowDescription === undefined
}

/** The connection as a COPY stream sees it behind a prelude. */
export function copyConnection(connection: WireConnection): WireConnection {
  const query = (text: string): void => connection.query(text + SECOND_STATEMENT)
  return Object.create(connection, { query: { value: query } })
}
