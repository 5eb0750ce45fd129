import type { Pool, PoolClient } from 'pg'
import { log } from '../diagnostics/log.js'
import { isTenantryError } from '../errors.js'
import { untilAborted } from '../support/abort.js'
import { type AcquireOptions, acquire, unlessInVain } from './acquire.js'
import { cleanClient, isClean } from './session/clean-client.js'
import { memoryOf } from './session/client-memory.js'
import { type Database, databaseOn } from './database.js'
import type { FormerSettings } from './session/fixed-session.js'
import { giveBack, takeOver } from './lent-client.js'
import type { Prelude } from './statement/prelude.js'
import { ScopedSession } from './session/scoped-session.js'
import type { Session, TransactionState } from './session/session.js'
import { sqlStateOf, toError } from './sql-state.js'
import type { NamingRules } from './statement/statement-name.js'
import { type Holder, WaitingRoom } from './waiting-room.js'
import { speaksWire } from './statement/wire.js'

/** How the clients of a pool are lent to scopes. */
export interface LeaseRules {
  readonly naming: NamingRules
  /** A client that has seen more schemas is replaced. */
  readonly maxSchemas: number
  readonly acquireTimeoutMs: number
  /** A pooler in between keeps one backend per client for a whole session. */
  readonly poolerKeepsSession: boolean
}

/** What one scope asks for. */
export interface LeaseRequest {
  readonly prelude: Prelude
  readonly holder: Holder
  /** The BEGIN that opens a transaction together with the first statement. */
  readonly begin?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Sets the path for the whole session. */
  readonly fixed?: boolean
  readonly told?: AcquireOptions['told']
}

type Ready = (error: Error | null, session?: Session) => void

const debug = log('scope')

/** Lends the clients of a `pg.Pool` to scopes, and takes them back clean. */
export class LeasePool {
  readonly pool: Pool
  readonly room: WaitingRoom
  readonly #rules: LeaseRules
  /** What the clients of session scopes had before. */
  readonly #former = new WeakMap<PoolClient, FormerSettings>()

  /**
   * What the package itself runs on the pool: outside of any scope, but with the same care not to
   * wait for ever inside one.
   */
  readonly database: Database = databaseOn({
    lend: (work, isUnfit) => this.#lendPlain(work, isUnfit),
    attend: (work) =>
      unlessInVain(this.#waitOptions, (vain) => untilAborted(this.room.outside(work), vain)),
    poolerKeepsSession: () => this.#rules.poolerKeepsSession,
  })

  constructor(pool: Pool, rules: LeaseRules) {
    this.pool = pool
    this.room = new WaitingRoom(() => pool.options.max)
    this.#rules = rules
  }

  /**
   * Takes a client and binds it to a schema.
   *
   * @throws `POOL_STARVED`, and the reason of the signal
   */
  open(request: LeaseRequest): Promise<Session> {
    return new Promise((resolve, reject) => {
      this.lend(request, (error, session) => (session ? resolve(session) : reject(error)))
    })
  }

  /** As {@link LeasePool.open}, by a callback: promises are a good part of what a query costs. */
  lend(request: LeaseRequest, ready: Ready): void {
    const { pool } = this
    if (request.signal !== undefined || request.fixed || pool.idleCount <= pool.waitingCount) {
      this.#take(request).then(
        (client) => this.#bind(client, request, ready),
        (error: unknown) => ready(toError(error)),
      )
      return
    }
    pool.connect((error, client) => {
      if (client === undefined) {
        ready(error ?? new Error('The pool gave no client.'))
        return
      }
      this.#bind(takeOver(client), request, ready)
    })
  }

  async #take({ prelude, signal, fixed, told }: LeaseRequest): Promise<PoolClient> {
    const client = await this.#acquire(signal, told)
    if (fixed) await this.#fix(client, prelude)
    return client
  }

  #bind(client: PoolClient, { prelude, holder, begin, fixed }: LeaseRequest, ready: Ready): void {
    this.room.took(holder)
    const memory = memoryOf(client)
    memory.schemas.add(prelude.schema)
    memory.path.watch(client, prelude.path)
    const { naming } = this.#rules
    if (speaksWire(client)) {
      ready(null, new ScopedSession(client, prelude, { naming, begin, fixed }))
      return
    }
    void import('./session/plain-session.js').then(({ PlainSession }) =>
      ready(null, new PlainSession(client, prelude, { begin, fixed })),
    )
  }

  async #lendPlain<R>(
    work: (client: PoolClient) => Promise<R>,
    isUnfit: (client: PoolClient) => boolean,
  ): Promise<R> {
    const holder = this.room.newHolder()
    const client = await this.#acquire()
    this.room.took(holder)
    let lost = false
    try {
      // What the work waits for may be a client, which must not be the one that it has.
      return await this.room.hold(holder, () => work(client))
    } catch (error) {
      lost = sqlStateOf(error) === undefined && !isTenantryError(error)
      throw error
    } finally {
      this.room.gave(holder)
      giveBack(client, lost || isUnfit(client))
    }
  }

  get #waitOptions(): AcquireOptions {
    const { pool, room } = this
    return { pool, room, timeoutMs: this.#rules.acquireTimeoutMs }
  }

  async #acquire(signal?: AbortSignal, told?: AcquireOptions['told']): Promise<PoolClient> {
    return takeOver(await acquire({ ...this.#waitOptions, signal, told }))
  }

  async #fix(client: PoolClient, prelude: Prelude): Promise<void> {
    memoryOf(client).path.watch(client, prelude.path)
    const { fixPath } = await import('./session/fixed-session.js')
    try {
      this.#former.set(client, await fixPath(client, prelude, this.#rules.poolerKeepsSession))
    } catch (error) {
      giveBack(client, true)
      throw error
    }
  }

  /**
   * Gives a client back: waits for its last statement, rolls back what is open, cleans what was
   * left, and destroys the client when its state cannot be known.
   *
   * @returns how the transaction stood.
   */
  close(session: Session, holder: Holder): TransactionState | Promise<TransactionState> {
    this.room.gave(holder)
    if (session.atRest && isClean(session.client, this.#rules.maxSchemas)) {
      giveBack(session.client)
      return 'none'
    }
    return this.#settle(session)
  }

  async #settle(session: Session): Promise<TransactionState> {
    const { client } = session
    if (session.held) {
      debug('a cursor or stream was left open in %s: the client is replaced', session.schema)
      giveBack(client, true)
      return 'none'
    }
    await session.idle()
    const state = session.broken === undefined ? session.transaction() : 'none'
    if (state !== 'none') await run(session, 'rollback')
    if (session.broken === undefined) await this.#restore(session)
    if (session.broken === undefined) await this.#clean(session)
    giveBack(client, session.broken !== undefined)
    return state
  }

  async #restore(session: Session): Promise<void> {
    const { client } = session
    const former = this.#former.get(client)
    if (former === undefined) return
    this.#former.delete(client)
    const { restoreSettings } = await import('./session/fixed-session.js')
    await restoreSettings(client, former).catch((error: unknown) => session.break(toError(error)))
  }

  async #clean(session: Session): Promise<void> {
    const why = await cleanClient(session.client, this.#rules.maxSchemas)
    if (why === undefined) return
    debug('%s: the client is replaced', why)
    session.break(new Error(why))
  }
}

async function run(session: Session, text: string): Promise<void> {
  await session.client.query(text).catch((error: unknown) => session.break(toError(error)))
}
