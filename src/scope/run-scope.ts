import type { Pool } from 'pg'
import { TenantryError } from '../errors.js'
import { log } from '../diagnostics/log.js'
import { closeSession } from '../postgres/lease.js'
import type { ScopedSession } from '../postgres/scoped-session.js'
import {
  type TransactionOptions,
  beginText,
  requireCommitted,
} from '../postgres/transaction.js'
import { type Scope, runInScope } from './context.js'
import { LentClient, type ScopedClient } from './scoped-client.js'

/** How a scope runs. */
export interface ScopeOptions extends TransactionOptions {
  /** Runs `fn` in one transaction: committed when it resolves, rolled back when it rejects. */
  readonly transaction?: boolean
}

const debug = log('scope')

/** Lends `fn` a client that answers for `scope`, and makes the scope ambient meanwhile. */
export async function runScope<R>(
  pool: Pool,
  scope: Scope,
  fn: (db: ScopedClient) => R | Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const begin = options.transaction ? beginText(options) : undefined
  const db = new LentClient(pool, scope, begin)
  let result: R
  try {
    result = await runInScope(scope, async () => fn(db))
  } catch (error) {
    await abandon(await db.close())
    throw error
  }
  const session = await db.close()
  if (session !== undefined) await finish(session, begin !== undefined)
  return result
}

/** `fn` has failed: what it left is rolled back, and its own error is the one that counts. */
async function abandon(session: ScopedSession | undefined): Promise<void> {
  if (session === undefined) return
  const left = await closeSession(session)
  if (left !== 'none') debug('rolled back in %s after an error', session.prelude.schema)
}

async function finish(session: ScopedSession, transaction: boolean): Promise<void> {
  const { schema } = session.prelude
  if (!transaction) {
    if ((await closeSession(session)) === 'none') return
    throw new TenantryError(
      'TRANSACTION_LEFT_OPEN',
      'The function ended with its transaction open, so it was rolled back. ' +
        'Send COMMIT, or use { transaction: true }.',
      { schema },
    )
  }
  try {
    await session.idle()
    if (session.status() === 'I') return
    const { command } = await session.client.query('commit')
    requireCommitted(command, schema)
  } finally {
    await closeSession(session)
  }
}
