import type { Pool, PoolClient } from 'pg'
import { log } from '../diagnostics/log.js'
import { acquire } from './acquire.js'
import { type ClientMemory, memoryOf } from './client-memory.js'
import { fixPath, restorePath } from './fixed-session.js'
import type { Leaving } from './leavings.js'
import { PlainSession } from './plain-session.js'
import type { Prelude } from './prelude.js'
import { watchReportedPath } from './reported-path.js'
import { ScopedSession } from './scoped-session.js'
import type { Session, TransactionState } from './session.js'
import { toError } from './sql-state.js'
import { type Holder, WaitingRoom } from './waiting-room.js'
import { speaksWire } from './wire.js'

/** How the clients of a pool are lent to scopes. */
export interface LeaseRules {
  readonly prepare: boolean
  readonly maxStatements: number
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
}

const debug = log('scope')

/** What is cleaned in one round trip; after anything else the client is replaced. */
const CLEANED: ReadonlySet<Leaving> = new Set(['lock', 'cursor', 'channel', 'temporary'])
const CLEAN = `select pg_advisory_unlock_all(); close all; unlisten *`
const HAS_TEMPORARY = 'select pg_my_temp_schema() <> 0 as found'

/** Lends the clients of a `pg.Pool` to scopes, and takes them back clean. */
export class LeasePool {
  readonly pool: Pool
  readonly room: WaitingRoom = new WaitingRoom()
  readonly #rules: LeaseRules
  /** The paths that the clients of session scopes had before. */
  readonly #formerPaths = new WeakMap<PoolClient, string>()

  constructor(pool: Pool, rules: LeaseRules) {
    this.pool = pool
    this.#rules = rules
  }

  /**
   * Takes a client and binds it to a schema.
   *
   * @throws `POOL_STARVED`, and the reason of the signal
   */
  async open(request: LeaseRequest): Promise<Session> {
    const { prelude, holder, signal } = request
    const timeoutMs = this.#rules.acquireTimeoutMs
    const client = await acquire({ pool: this.pool, room: this.room, holder, timeoutMs, signal })
    const memory = memoryOf(client)
    memory.schemas.add(prelude.schema)
    watchReportedPath(client, memory)
    if (request.fixed) await this.#fix(client, prelude)
    this.room.took(holder)
    const { begin, fixed = false } = request
    const rules = { ...this.#rules, fixed, ...(begin !== undefined && { begin }) }
    if (speaksWire(client)) return new ScopedSession(client, prelude, rules)
    return new PlainSession(client, prelude, rules)
  }

  async #fix(client: PoolClient, prelude: Prelude): Promise<void> {
    try {
      const path = await fixPath(client, prelude, this.#rules.poolerKeepsSession)
      this.#formerPaths.set(client, path)
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /**
   * Gives a client back: waits for its last statement, rolls back what is open, cleans what was
   * left, and destroys the client when its state cannot be known.
   *
   * @returns how the transaction stood.
   */
  async close(session: Session, holder: Holder): Promise<TransactionState> {
    try {
      return await this.#settle(session)
    } finally {
      this.room.gave(holder)
    }
  }

  async #settle(session: Session): Promise<TransactionState> {
    const { client } = session
    if (session.held) {
      debug('a cursor or stream was left open in %s: the client is replaced', session.schema)
      client.release(true)
      return 'none'
    }
    await session.idle()
    const state = session.broken === undefined ? session.transaction() : 'none'
    if (state !== 'none') await run(session, 'rollback')
    if (session.broken === undefined) await this.#restore(session)
    if (session.broken === undefined) await this.#clean(session)
    client.release(session.broken !== undefined)
    return state
  }

  async #restore(session: Session): Promise<void> {
    const path = this.#formerPaths.get(session.client)
    if (path === undefined) return
    this.#formerPaths.delete(session.client)
    await restorePath(session.client, path).catch((error: unknown) => session.break(toError(error)))
  }

  async #clean(session: Session): Promise<void> {
    const { client } = session
    const memory = memoryOf(client)
    const why = await this.#whyReplaced(client, memory)
    if (why === undefined) return
    debug('%s: the client is replaced', why)
    session.break(new Error(why))
  }

  async #whyReplaced(client: PoolClient, memory: ClientMemory): Promise<string | undefined> {
    if (memory.ownPath !== memory.reportedPath) return 'the search_path of the session has changed'
    if (memory.leavings.size > 0) {
      const beyond = [...memory.leavings].find((leaving) => !CLEANED.has(leaving))
      if (beyond !== undefined) return `a scope has left a ${beyond} on its connection`
      const failure = await cleanLeavings(client, memory)
      if (failure !== undefined) return failure
    }
    return memory.schemas.size > this.#rules.maxSchemas
      ? `a client has seen more than ${this.#rules.maxSchemas} schemas`
      : undefined
  }
}

async function cleanLeavings(
  client: PoolClient,
  { leavings }: ClientMemory,
): Promise<string | undefined> {
  try {
    if (leavings.delete('temporary')) {
      const { rows } = await client.query<{ found: boolean }>(HAS_TEMPORARY)
      if (rows[0]?.found !== false) return 'a scope has left temporary objects'
    }
    if (leavings.size > 0) await client.query(CLEAN)
    leavings.clear()
    return undefined
  } catch (error) {
    return `a client could not be cleaned: ${toError(error).message}`
  }
}

async function run(session: Session, text: string): Promise<void> {
  await session.client.query(text).catch((error: unknown) => session.break(toError(error)))
}
