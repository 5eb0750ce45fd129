import type { Pool, PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { Prelude } from './prelude.js'
import { ScopedSession } from './scoped-session.js'
import { speaksWire } from './wire.js'

/** Takes a client from the pool and binds it to a schema. */
export async function openSession(
  pool: Pool,
  prelude: Prelude,
  begin?: string,
): Promise<ScopedSession> {
  const client: PoolClient = await pool.connect()
  if (speaksWire(client)) return new ScopedSession(client, prelude, begin)
  client.release()
  throw new TenantryError(
    'OPTIONS_INVALID',
    'The pool’s clients cannot carry a scope. Use a pool of pg 8.21 or newer.',
    { option: 'pool' },
  )
}

/** How the transaction of a session stood when its use ended. */
export type Leftover = 'none' | 'open' | 'failed'

/**
 * Gives a client back: waits for its last statement, rolls back what is open, and destroys the
 * client when its state cannot be known.
 */
export async function closeSession(session: ScopedSession): Promise<Leftover> {
  if (session.statementHeld) {
    session.client.release(true)
    return 'none'
  }
  await session.idle()
  const left = leftover(session)
  if (session.broken === undefined && left !== 'none') await rollBack(session)
  session.client.release(session.broken)
  return left
}

function leftover(session: ScopedSession): Leftover {
  if (session.broken !== undefined) return 'none'
  const status = session.status()
  if (status === 'I') return 'none'
  return status === 'T' ? 'open' : 'failed'
}

async function rollBack(session: ScopedSession): Promise<void> {
  await session.client.query('rollback').catch((error: unknown) => {
    session.break(error instanceof Error ? error : new Error(String(error)))
  })
}
