import { AsyncResource } from 'node:async_hooks'
import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import type { LeasePool } from '../postgres/lease-pool.js'
import { type Callback, type QueryCall, answer, queryCall } from '../postgres/query-call.js'
import type { Session } from '../postgres/session.js'
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
    return answer(call, (settle) => void this.#query(call, settle))
  }) as Pool['query']

  async #query(call: QueryCall, settle: Callback): Promise<void> {
    const holder = this.#leases.room.newHolder()
    try {
      const session = await this.#open(holder)
      const outcome = await runAlone(session, call)
      const state = await this.#leases.close(session, holder)
      if (state !== 'none') settle(leftOpen(session.schema))
      else settle(outcome.error, outcome.result)
    } catch (error) {
      settle(toError(error))
    }
  }

  async #open(holder: Holder): Promise<Session> {
    const { prelude } = await this.#scope()
    return this.#leases.open({ prelude, holder })
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
    const session = await this.#open(holder)
    return scopedPoolClient(session, () => this.#leases.close(session, holder))
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

interface Outcome {
  readonly error: Error | null
  readonly result?: unknown
}

/** A cursor or stream tells nobody of its end; the session knows. */
async function runAlone(session: Session, call: QueryCall): Promise<Outcome> {
  if (!isSubmittable(call.config)) {
    return new Promise((resolve) => {
      session.run(call, (error, result) => resolve({ error, result }))
    })
  }
  session.run(call, () => {})
  await session.idle()
  return { error: null }
}

/** Listeners are added to the pool beneath, which is the one that emits. */
const LISTENING = ['on', 'once', 'off', 'addListener', 'removeListener'] as const

function forward(facade: object, pool: Pool, method: (typeof LISTENING)[number]) {
  return (...args: unknown[]): object => {
    Reflect.apply(pool[method], pool, args)
    return facade
  }
}
