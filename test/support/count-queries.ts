import type { Pool } from 'pg'

/** Counts what a pool's clients are asked for. */
export function countQueries(pool: Pool): { queries: number } {
  const counter = { queries: 0 }
  watchQueries(pool, () => (counter.queries += 1))
  return counter
}

/** Of how many schemas the states are asked for, one number for each time that a pool's clients are. */
export function countStates(pool: Pool): readonly number[] {
  const counts: number[] = []
  watchQueries(pool, (text, values) => {
    if (typeof text !== 'string' || !Array.isArray(values)) return
    // The list of tenants asks for the identities of their schemas, too.
    const isOfStates = text.includes('pg_namespace') && !text.includes('tenantry_tenants')
    const [schemas]: unknown[] = values
    if (isOfStates && Array.isArray(schemas)) counts.push(schemas.length)
  })
  return counts
}

function watchQueries(pool: Pool, watch: (...call: readonly unknown[]) => unknown): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    const watched = (...call: Parameters<typeof query>): unknown => {
      watch(...call)
      return query(...call)
    }
    Object.assign(client, { query: watched })
  })
}
