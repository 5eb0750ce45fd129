import type { Client, Submittable } from 'pg'

/** Asks a server for a sign of life; `done` hears of it, or of the error. */
export function sendHeartbeat(client: Client, done: (error: Error | null) => void): void {
  client.query(new Heartbeat(done))
}

/**
 * A Sync, which the server answers with ReadyForQuery. It is no statement: nothing is parsed, no
 * transaction begins, and no log has a line of it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
class Heartbeat implements Submittable {
  readonly #done: (error: Error | null) => void

  constructor(done: (error: Error | null) => void) {
    this.#done = done
  }

  submit(connection: { sync(): void }): void {
    connection.sync()
  }

  handleReadyForQuery(): void {
    this.#done(null)
  }

  handleError(error: Error): void {
    this.#done(error)
  }
}
