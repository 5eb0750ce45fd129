import pg from 'pg'
import type { PoolClient } from 'pg'

/** Runs a text of many statements and hears of its rows as they come, also when it fails. */
export function runText(
  client: PoolClient,
  text: string,
  onRow: (row: Record<string, unknown>) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // A callback, not events: with a query_timeout pg calls it and emits no error.
    const query = new pg.Query(text, undefined, (error: Error | null | undefined) => {
      if (error) reject(error)
      else resolve()
    })
    query.on('row', onRow)
    client.query(query)
  })
}
