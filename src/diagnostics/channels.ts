import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'

/** Whose schema a message is about. */
export interface MessageTenant {
  readonly id: string
  readonly slug: string
}

/** What Node adds to a message of a tracing channel: how that ended which the message is about. */
export interface TracedOutcome<Result> {
  /** Once it has succeeded. */
  readonly result?: Result
  /** Once it has failed. */
  readonly error?: unknown
}

/**
 * A message on the tracing channel `tenantry:scope`: from the start of a scope to its end.
 *
 * @example
 * import { tracingChannel } from 'node:diagnostics_channel'
 * import type { ScopeMessage } from 'tenantry'
 *
 * tracingChannel<unknown, ScopeMessage>('tenantry:scope').error.subscribe((message) => {
 *   console.error('A scope has failed', message)
 * })
 * @see https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
 */
export interface ScopeMessage extends TracedOutcome<unknown> {
  readonly schema: string
  /** Only where the schema is a tenant's. */
  readonly tenant: MessageTenant | undefined
  /**
   * `function`: of `withTenant`, `withSchema` and `each`; `statement`: one query of a pool such as
   * `router.pool`; `client`: from the `connect` of such a pool to the client's `release`.
   */
  readonly form: 'function' | 'statement' | 'client'
  /** How long it waited for a client, in milliseconds; only where none was idle. */
  waitMs?: number
}

/** A message on the tracing channel `tenantry:migration`: an attempt at one schema of a run. */
export interface MigrationMessage extends TracedOutcome<MigrationResult> {
  readonly schema: string
  readonly kind: 'shared' | 'static' | 'tenant'
  /** Only where the schema is a tenant's. */
  readonly tenant: MessageTenant | undefined
  /** What the run is to do: `up` and `redo`, `down`, or `markApplied`. */
  readonly direction: 'up' | 'down' | 'mark'
}

/** What an attempt at one schema came to. */
export interface MigrationResult {
  readonly status: 'done' | 'current' | 'skipped'
  /** File names of the migrations that ran. */
  readonly applied: readonly string[]
}

/** What `router.tenants` does to a tenant. */
export type TenantAction =
  | 'create'
  | 'update'
  | 'suspend'
  | 'activate'
  | 'rename'
  | 'clone'
  | 'backup'
  | 'restore'
  | 'export'
  | 'delete'
  | 'undelete'
  | 'purge'

/** Whom it was done to, and what came of it. */
export interface TenantResult extends MessageTenant {
  /** Of a backup, a restore and an export. */
  readonly report?: TenantRows
}

/** The rows that a backup, a restore or an export has moved. */
export interface TenantRows {
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

/** A message on the tracing channel `tenantry:tenant`: a turn in a tenant's life. */
export interface TenantMessage extends TracedOutcome<TenantResult> {
  readonly action: TenantAction
  /** The slug that was named: of a rename the former one, of a clone the new tenant's, of a restore the one that it restores. */
  readonly slug: string
}

// They are kept here, because Node forgets a channel that nobody holds.
export const scopeChannel: TracingChannel<unknown, ScopeMessage> = tracingChannel('tenantry:scope')
export const migrationChannel: TracingChannel<unknown, MigrationMessage> =
  tracingChannel('tenantry:migration')
export const tenantChannel: TracingChannel<unknown, TenantMessage> =
  tracingChannel('tenantry:tenant')

/** Does the work, and tells of its start and end on the channel, if anybody listens there. */
export function traced<Message extends object, R>(
  channel: TracingChannel<unknown, Message>,
  message: () => Message,
  work: (told?: Message) => Promise<R>,
): Promise<R> {
  if (!isHeard(channel)) return work()
  const told = message()
  return channel.tracePromise(() => work(told), told)
}

type Settle = (error: Error | null, result?: unknown) => void

/** As {@link traced}, for work that ends with a callback. */
export function tracedCall<Message extends object>(
  channel: TracingChannel<unknown, Message>,
  { message, settle }: { readonly message: () => Message; readonly settle: Settle },
  work: (settle: Settle, told?: Message) => void,
): void {
  if (!isHeard(channel)) {
    work(settle)
    return
  }
  const told = message()
  channel.traceCallback((done: Settle) => work(done, told), 0, told, undefined, settle)
}

/** `TracingChannel.hasSubscribers` is younger than Node 20.0. */
export function isHeard<Message extends object>({
  start,
  end,
  asyncStart,
  asyncEnd,
  error,
}: TracingChannel<unknown, Message>): boolean {
  return (
    asyncEnd.hasSubscribers ||
    start.hasSubscribers ||
    error.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers
  )
}
