import { AsyncResource } from 'node:async_hooks'
import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import type { LeasePool } from '../postgres/lease-pool.js'
import { type Callback, type QueryCall, answer, queryCall } from '../postgres/query-call.js'
import type { Session, TransactionState } from '../postgres/session.js'
import { toError } from '../postgres/sql-state.js'
import type { Holder } from '../postgres/waiting-room.js'
import { isSubmittable } from '../postgres/wire.js'
import type { Scope } from './context.js'
import { leftOpen } from './run-scope.js'
import { scopedPoolClient } from './scoped-pool-client.js'

type Counters = 'totalCount' | 'idleCount' | 'waitingCount' | 'expiredCount'
type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void

/** pg's types call the counters properties; they are accessors, and are overridden as such. */
const BasePool = pg.Pool as new () => Omit<Pool, Counters | 'connect' | 'query' | 'end'>

/**
 * A `pg.Pool` whose every query answers for one tenant: the ambient one, or the one it is bound to.
 *
 * It has no clients of its own; it lends those of the pool that the router was given. Hand it to
 * whatever takes a `pg.Pool`.
 */
export class TenantPool extends BasePool {
  readonly #leases: LeasePool
  readonly #scope: () => Scope | Promise<Scope>

  /** @internal Made by the router. */
  constructor(leases: LeasePool, scope: () => Scope | Promise<Scope>) {
    super()
    const { pool } = leases
    this.#leases = leases
    this.#scope = scope
    this.options = pool.options
    for (const state of ['ending', 'ended'] as const) {
      Object.defineProperty(this, state, { get: () => pool[state] })
    }
    for (const method of LISTENING) {
      Object.defineProperty(this, method, { value: forward(this, pool, method) })
    }
  }

  query: Pool['query'] = ((...args: unknown[]): unknown => {
    const call = queryCall(args)
    return answer(call, (settle) => this.#query(call, settle))
  }) as Pool['query']

  #query(call: QueryCall, settle: Callback): void {
    const holder = this.#leases.room.newHolder()
    this.#lend(holder, (error, session) => {
      if (session === undefined) settle(error)
      else this.#runAlone(session, holder, { call, settle })
    })
  }

  #runAlone(session: Session, holder: Holder, { call, settle }: Waiting): void {
    const done = (error: Error | null, result?: unknown): void => {
      const end = (state: TransactionState): void =>
        state === 'none' || error !== null
          ? settle(error, result)
          : settle(leftOpen(session.schema))
      const state = this.#leases.close(session, holder)
      if (typeof state === 'string') end(state)
      else state.then(end, settle)
    }
    session.run(call, done)
    // A cursor or stream tells nobody of its end; the session knows.
    if (isSubmittable(call.config)) session.idle().then(() => done(null), done)
  }

  #lend(holder: Holder, ready: (error: Error | null, session?: Session) => void): void {
    const lend = ({ prelude }: Scope): void => this.#leases.lend({ prelude, holder }, ready)
    try {
      const scope = this.#scope()
      if (scope instanceof Promise)
        scope.then(lend).catch((error: unknown) => ready(toError(error)))
      else lend(scope)
    } catch (error) {
      ready(toError(error))
    }
  }

  connect: Pool['connect'] = ((callback?: ConnectCallback): unknown => {
    const lent = this.#connect()
    if (callback === undefined) return lent
    const call = AsyncResource.bind(callback)
    lent.then(
      (client) => call(undefined, client, (destroy) => client.release(Boolean(destroy))),
      (error: Error) => call(error, undefined, () => {}),
    )
    return undefined
  }) as Pool['connect']

  async #connect(): Promise<PoolClient> {
    const holder = this.#leases.room.newHolder()
    const { prelude } = await this.#scope()
    const session = await this.#leases.open({ prelude, holder })
    return scopedPoolClient(session, async () => this.#leases.close(session, holder))
  }

  /** Does nothing but resolve: the clients belong to the pool beneath, which the router closes. */
  end: Pool['end'] = ((callback?: () => void): unknown => {
    if (callback === undefined) return Promise.resolve()
    callback()
    return undefined
  }) as Pool['end']

  get totalCount(): number {
    return this.#leases.pool.totalCount
  }

  get idleCount(): number {
    return this.#leases.pool.idleCount
  }

  get waitingCount(): number {
    return this.#leases.pool.waitingCount
  }

  get expiredCount(): number {
    return this.#leases.pool.expiredCount
  }
}

interface Waiting {
  readonly call: QueryCall
  readonly settle: Callback
}

/** Listeners are added to the pool beneath, which is the one that emits. */
const LISTENING = ['on', 'once', 'off', 'addListener', 'removeListener'] as const

function forward(facade: object, pool: Pool, method: (typeof LISTENING)[number]) {
  return (...args: unknown[]): object => {
    Reflect.apply(pool[method], pool, args)
    return facade
  }
}
