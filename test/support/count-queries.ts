import type { Pool } from 'pg'

/** Counts what a pool's clients are asked for. */
export function countQueries(pool: Pool): { queries: number } {
  const counter = { queries: 0 }
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    const counted = (...call: Parameters<typeof query>): unknown => {
      counter.queries += 1
      return query(...call)
    }
    Object.assign(client, { query: counted })
  })
  return counter
}
