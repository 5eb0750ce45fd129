import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import { answer, dispatch, queryCall } from '../postgres/dispatch.js'
import { closeSession, openSession } from '../postgres/lease.js'
import type { Scope } from './context.js'
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
  readonly #pool: Pool
  readonly #scope: () => Scope | Promise<Scope>

  /** @internal Made by the router. */
  constructor(pool: Pool, scope: () => Scope | Promise<Scope>) {
    super()
    this.#pool = pool
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
    return answer(call, (settle) => {
      this.#open().then(
        (session) => {
          dispatch(session, call, (error, result) => {
            closeSession(session).then(() => settle(error, result), settle)
          })
        },
        (error: Error) => settle(error),
      )
    })
  }) as Pool['query']

  async #open(): ReturnType<typeof openSession> {
    const scope = await this.#scope()
    return openSession(this.#pool, scope.prelude)
  }

  connect: Pool['connect'] = ((callback?: ConnectCallback): unknown => {
    const lent = this.#open().then(scopedPoolClient)
    if (callback === undefined) return lent
    lent.then(
      (client) => callback(undefined, client, (destroy) => client.release(Boolean(destroy))),
      (error: Error) => callback(error, undefined, () => {}),
    )
    return undefined
  }) as Pool['connect']

  /** Does nothing but resolve: the clients belong to the pool beneath, which the router closes. */
  end: Pool['end'] = ((callback?: () => void): unknown => {
    if (callback === undefined) return Promise.resolve()
    callback()
    return undefined
  }) as Pool['end']

  get totalCount(): number {
    return this.#pool.totalCount
  }

  get idleCount(): number {
    return this.#pool.idleCount
  }

  get waitingCount(): number {
    return this.#pool.waitingCount
  }

  get expiredCount(): number {
    return this.#pool.expiredCount
  }
}

/** Listeners are added to the pool beneath, which is the one that emits. */
const LISTENING = ['on', 'once', 'off', 'addListener', 'removeListener'] as const

function forward(facade: object, pool: Pool, method: (typeof LISTENING)[number]) {
  return (...args: unknown[]): object => {
    Reflect.apply(pool[method], pool, args)
    return facade
  }
}
