import type { Pool, PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { WaitingRoom } from './waiting-room.js'

/** How a client is taken from a pool. */
export interface AcquireOptions {
  readonly pool: Pool
  readonly room: WaitingRoom
  /** How long to wait for a client, in milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Is told how long the wait was, in milliseconds, where there was one. */
  readonly told?: { waitMs?: number } | undefined
}

/**
 * Takes a client, or fails instead of waiting for ever.
 *
 * @throws `POOL_STARVED` when every client is held by a scope that waits for one more, or when the
 * wait is over
 */
export async function acquire(options: AcquireOptions): Promise<PoolClient> {
  const { pool, signal, told } = options
  signal?.throwIfAborted()
  const isFree = pool.idleCount > pool.waitingCount
  if (signal === undefined && isFree) return pool.connect()
  const began = performance.now()
  try {
    return await unlessInVain(options, (vain) =>
      waitFor(options, signal === undefined ? [vain] : [vain, signal]),
    )
  } finally {
    if (!isFree && told !== undefined) told.waitMs = performance.now() - began
  }
}

/**
 * Waits as the running code: the wait ends when no client could come back before it does.
 *
 * @throws `POOL_STARVED`
 */
export async function unlessInVain<R>(
  options: AcquireOptions,
  wait: (vain: AbortSignal) => Promise<R>,
): Promise<R> {
  const { room } = options
  const vain = new AbortController()
  const done = room.waits(() => vain.abort(starved(options)))
  try {
    room.endVainWait()
    vain.signal.throwIfAborted()
    return await wait(vain.signal)
  } finally {
    done()
  }
}

/** Waits for a client until one of the signals, or the time, ends the wait. */
function waitFor(options: AcquireOptions, ends: readonly AbortSignal[]): Promise<PoolClient> {
  const { pool, timeoutMs } = options
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const isFirst = (): boolean => {
      if (over.signal.aborted) return false
      clearTimeout(timer)
      over.abort()
      return true
    }
    const fail = (reason: unknown): void => {
      if (isFirst()) reject(reason)
    }
    const timer = setTimeout(() => fail(starved(options)), timeoutMs)
    for (const end of ends) {
      end.addEventListener('abort', () => fail(end.reason), { signal: over.signal })
    }
    // A client that arrives when nobody waits any more goes straight back.
    pool.connect().then((client) => (isFirst() ? resolve(client) : client.release()), fail)
  })
}

function starved({ pool, room, timeoutMs }: AcquireOptions): TenantryError {
  const blocked = room.blockedClients()
  const why =
    blocked >= pool.options.max
      ? `all ${blocked} clients are held by scopes that wait for another client`
      : `no client was free for ${timeoutMs} ms (${pool.totalCount} in use, ${blocked} of them ` +
        `by scopes that wait for another client, ${pool.waitingCount} callers wait)`
  return new TenantryError(
    'POOL_STARVED',
    `The pool has no client for this scope: ${why}. Do not open a scope inside a scope that has ` +
      'run a query, or give the pool more clients.',
  )
}
