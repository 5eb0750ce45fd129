import type { Pool, PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { Holder, WaitingRoom } from './waiting-room.js'

/** How a client is taken from a pool. */
export interface AcquireOptions {
  readonly pool: Pool
  readonly room: WaitingRoom
  readonly holder: Holder
  /** How long to wait for a client, in milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Takes a client, or fails instead of waiting for ever.
 *
 * @throws `POOL_STARVED` when every client is held by a scope that waits for one more, or when the
 * wait is over
 */
export async function acquire(options: AcquireOptions): Promise<PoolClient> {
  const { pool, room, holder, signal } = options
  signal?.throwIfAborted()
  if (signal === undefined && pool.idleCount > pool.waitingCount) return pool.connect()
  const done = room.waits(holder)
  try {
    if (holder.parent !== undefined && room.blockedClients() >= maxOf(pool)) throw starved(options)
    return await waitFor(options)
  } finally {
    done()
  }
}

function maxOf(pool: Pool): number {
  return pool.options.max
}

function waitFor(options: AcquireOptions): Promise<PoolClient> {
  const { pool, timeoutMs, signal } = options
  return new Promise((resolve, reject) => {
    let over = false
    const end = (): boolean => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      const first = !over
      over = true
      return first
    }
    const aborted = (): void => {
      if (end()) reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      if (end()) reject(starved(options))
    }, timeoutMs)
    signal?.addEventListener('abort', aborted)
    pool.connect().then(
      // A client that arrives when nobody waits any more goes straight back.
      (client) => (end() ? resolve(client) : client.release()),
      (error: unknown) => end() && reject(error),
    )
  })
}

function starved({ pool, room, timeoutMs }: AcquireOptions): TenantryError {
  const blocked = room.blockedClients()
  const why =
    blocked >= maxOf(pool)
      ? `all ${blocked} clients are held by scopes that wait for another client`
      : `no client was free for ${timeoutMs} ms (${pool.totalCount} in use, ${blocked} of them ` +
        `by scopes that wait for another client, ${pool.waitingCount} callers wait)`
  return new TenantryError(
    'POOL_STARVED',
    `The pool has no client for this scope: ${why}. Do not open a scope inside a scope that has ` +
      'run a query, or give the pool more clients.',
  )
}
