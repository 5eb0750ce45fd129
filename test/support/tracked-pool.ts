import { Pool, type ClientBase, type PoolClient, type PoolConfig } from 'pg'

/** A pool that knows which of its clients are lent out. */
export interface TrackedPool {
  readonly pool: Pool
  readonly lent: ReadonlySet<PoolClient>
  /** Destroys the clients that are lent out, for which `pool.end()` alone would wait for ever. */
  destroyLent(): void
  close(): Promise<void>
}

/** Makes a pool whose lent clients can be counted, named and destroyed. */
export function openTrackedPool(config: PoolConfig): TrackedPool {
  const pool = new Pool(config)
  const lent = new Set<PoolClient>()
  pool.on('acquire', (client) => lent.add(client))
  pool.on('release', (_error, client) => lent.delete(client))
  const destroyLent = (): void => {
    for (const client of lent) client.release(true)
  }
  const close = async (): Promise<void> => {
    // Dropping the database ends the connections of idle clients, too.
    pool.on('error', () => {})
    destroyLent()
    if (!pool.ending) await pool.end()
  }
  return { pool, lent, destroyLent, close }
}

/** Process id of the backend behind a client; `undefined` before it is connected. */
export function backendOf(client: ClientBase): number | undefined {
  return 'processID' in client && typeof client.processID === 'number'
    ? client.processID
    : undefined
}
