import { TenantryError } from '../errors.js'
import { type ScopeMessage, scopeChannel, traced } from '../diagnostics/channels.js'
import { log } from '../diagnostics/log.js'
import type { LeasePool } from '../postgres/lease-pool.js'
import type { Session } from '../postgres/session/session.js'
import { toError } from '../postgres/sql-state.js'
import { type TransactionOptions, beginText, requireCommitted } from '../postgres/transaction.js'
import type { Holder } from '../postgres/waiting-room.js'
import { untilAborted } from '../support/abort.js'
import { optionInvalid } from '../support/options.js'
import { type Scope, messageOf, runInScope } from './context.js'
import { LentClient, type ScopedClient } from './scoped-client.js'

/** How a scope runs. */
export interface ScopeOptions extends TransactionOptions {
  /** Runs `fn` in one transaction: committed when it resolves, rolled back when it rejects. */
  readonly transaction?: boolean
  /**
   * `'statement'`: each statement carries the scope itself, safe behind any pooler. `'session'`:
   * the path is set on a client for as long as `fn` runs, for statements that refuse a
   * transaction such as `VACUUM` and `CREATE INDEX CONCURRENTLY`; not behind a pooler in
   * transaction mode.
   *
   * @defaultValue `'statement'`
   */
  readonly scope?: 'statement' | 'session'
  /** Ends the scope: waiting and running queries fail, the server stops what it runs. */
  readonly signal?: AbortSignal
}

const debug = log('scope')

/** Lends `fn` a client that answers for `scope`, and makes the scope ambient meanwhile. */
export function runScope<R>(
  leases: LeasePool,
  scope: Scope,
  fn: (db: ScopedClient) => R | Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  const message = (): ScopeMessage => messageOf(scope, 'function')
  return traced(scopeChannel, message, (told) => lendTo(fn, { leases, scope, options, told }))
}

interface Lending {
  readonly leases: LeasePool
  readonly scope: Scope
  readonly options: ScopeOptions
  readonly told: ScopeMessage | undefined
}

async function lendTo<R>(
  fn: (db: ScopedClient) => R | Promise<R>,
  { leases, scope, options, told }: Lending,
): Promise<R> {
  const { signal, transaction = false } = options
  const begin = transaction ? beginText(options) : undefined
  const fixed = isFixed(options)
  signal?.throwIfAborted()
  const holder = leases.room.newHolder()
  const db = new LentClient(leases, { prelude: scope.prelude, holder, begin, signal, fixed, told })
  const running = (): Promise<R> =>
    leases.room.hold(holder, () => runInScope(scope, async () => fn(db)))
  let result: R
  try {
    result = await untilAborted(running(), signal, (reason) => db.abort(toError(reason)))
  } catch (error) {
    const left = await db.close()
    await runInScope(scope, () => abandon(leases, left, holder))
    throw error
  }
  const session = await db.close()
  if (session !== undefined) {
    await runInScope(scope, () => finish(leases, session, { holder, transaction }))
  }
  return result
}

function isFixed({ scope = 'statement', transaction }: ScopeOptions): boolean {
  if (scope === 'statement') return false
  if (scope === 'session' && !transaction) return true
  throw optionInvalid(
    'scope',
    'Option "scope" is "statement" or "session", and a session scope has no { transaction: true }.',
  )
}

/** `fn` has failed: what it left is rolled back, and its own error is the one that counts. */
async function abandon(
  leases: LeasePool,
  session: Session | undefined,
  holder: Holder,
): Promise<void> {
  if (session === undefined) return
  const left = await leases.close(session, holder)
  if (left !== 'none') debug('rolled back in %s after an error', session.schema)
}

async function finish(
  leases: LeasePool,
  session: Session,
  { holder, transaction }: { readonly holder: Holder; readonly transaction: boolean },
): Promise<void> {
  if (!transaction) {
    if ((await leases.close(session, holder)) === 'none') return
    throw leftOpen(session.schema)
  }
  try {
    await session.idle()
    if (session.broken !== undefined) throw session.broken
    if (session.transaction() === 'none') return
    const { command } = await session.client.query('commit')
    requireCommitted(command, session.schema)
  } finally {
    await leases.close(session, holder)
  }
}

/** A function or a caller ended its use of a client in the middle of a transaction. */
export function leftOpen(schema: string): TenantryError {
  return new TenantryError(
    'TRANSACTION_LEFT_OPEN',
    'A transaction was left open at the end of its scope, so it was rolled back. ' +
      'Send COMMIT, or use { transaction: true }.',
    { schema },
  )
}
