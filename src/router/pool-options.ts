import pg from 'pg'
import type { Pool, PoolConfig } from 'pg'
import { optionInvalid } from '../support/options.js'

/** A pool of the service's, or what the router makes one of. */
export interface PoolChoice {
  readonly pool?: Pool
  readonly connectionString?: string
  readonly poolOptions?: PoolConfig
}

/**
 * Takes the pool that was given, or makes one; nothing is connected yet.
 *
 * @throws `OPTIONS_INVALID` for both or neither
 */
export function resolvePool(options: PoolChoice): {
  readonly pool: Pool
  readonly ownsPool: boolean
} {
  const { pool, connectionString, poolOptions } = options
  if (pool !== undefined && connectionString === undefined) return { pool, ownsPool: false }
  if (pool === undefined && connectionString !== undefined) {
    const own = new pg.Pool({ ...poolOptions, connectionString })
    // pg drops a client that fails while it is idle; without a listener it would end the process.
    own.on('error', () => {})
    return { pool: own, ownsPool: true }
  }
  throw optionInvalid('pool', 'Give either "pool", a pg.Pool of yours, or "connectionString".')
}
