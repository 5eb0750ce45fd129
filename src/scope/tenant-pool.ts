import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import {
  type ScopeMessage,
  isHeard,
  scopeChannel,
  traced,
  tracedCall,
} from '../diagnostics/channels.js'
import type { LeasePool } from '../postgres/lease-pool.js'
import {
  type Callback,
  type QueryCall,
  answer,
  queryCall,
} from '../postgres/statement/query-call.js'
import type { Session, TransactionState } from '../postgres/session/session.js'
import { toError } from '../postgres/sql-state.js'
import type { Holder } from '../postgres/waiting-room.js'
import { isSubmittable } from '../postgres/statement/wire.js'
import { asCaller } from '../support/caller-context.js'
import { type Scope, messageOf, runInScope } from './context.js'
import { leftOpen } from './run-scope.js'
import { scopedPoolClient } from './scoped-pool-client.js'

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void

/** pg's types call the counters properties; they are accessors, and are overridden as such. */
const BasePool = pg.Pool as new () => Omit<
  Pool,
  'totalCount' | 'idleCount' | 'waitingCount' | 'expiredCount' | 'connect' | 'query' | 'end'
>

/**
 * A `pg.Pool` whose every query answers for one tenant: the ambient one, or the one it is bound to.
 *
 * It has no clients of its own; it lends those of the pool that the router was given. Hand it to
 * whatever takes a `pg.Pool`.
 *
 * @example
 * import type { TenantPool } from 'tenantry'
 *
 * export async function loansOf(pool: TenantPool): Promise<unknown[]> {
 *   const { rows } = await pool.query('select * from loans')
 *   return rows
 * }
 *
 * const loansOfAcme = await loansOf(router.poolFor('acme'))
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
    this.#withScope(settle, (scope) => {
      const told = { message: () => messageOf(scope, 'statement'), settle }
      tracedCall(scopeChannel, told, (done, message) => {
        const holder = this.#leases.room.newHolder()
        // The pool may call back as whoever gave the client back, and tracers ask who is calling.
        const ready = asCaller((error: Error | null, session?: Session): void => {
          if (session === undefined) done(error)
          else runInScope(scope, () => this.#runAlone(session, holder, { call, settle: done }))
        })
        this.#leases.lend({ prelude: scope.prelude, holder, told: message }, ready)
      })
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

  #withScope(fail: Callback, use: (scope: Scope) => void): void {
    try {
      const scope = this.#scope()
      if (scope instanceof Promise) scope.then(use).catch((error: unknown) => fail(toError(error)))
      else use(scope)
    } catch (error) {
      fail(toError(error))
    }
  }

  connect: Pool['connect'] = ((callback?: ConnectCallback): unknown => {
    const lent = this.#connect()
    if (callback === undefined) return lent
    const call = asCaller(callback)
    lent.then(
      (client) => call(undefined, client, (destroy) => client.release(Boolean(destroy))),
      (error: Error) => call(error, undefined, () => {}),
    )
    return undefined
  }) as Pool['connect']

  async #connect(): Promise<PoolClient> {
    const scope = await this.#scope()
    if (!isHeard(scopeChannel)) return (await this.#open(scope)).client
    const message = (): ScopeMessage => messageOf(scope, 'client')
    return new Promise((resolve, reject) => {
      // The scope ends with the client's release, long after the caller has got the client.
      traced(scopeChannel, message, async (told) => {
        const { client, released } = await this.#open(scope, told)
        resolve(client)
        await released
      }).catch(reject)
    })
  }

  async #open({ prelude }: Scope, told?: ScopeMessage): Promise<OpenClient> {
    const holder = this.#leases.room.newHolder()
    const session = await this.#leases.open({ prelude, holder, told })
    let ended: (() => void) | undefined
    const released = new Promise<void>((resolve) => {
      ended = resolve
    })
    const close = async (): Promise<void> => {
      try {
        await this.#leases.close(session, holder)
      } finally {
        ended?.()
      }
    }
    return { client: scopedPoolClient(session, close), released }
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

interface OpenClient {
  readonly client: PoolClient
  readonly released: Promise<void>
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
