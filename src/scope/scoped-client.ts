import type { ClientBase } from 'pg'
import { TenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import type { LeasePool, LeaseRequest } from '../postgres/lease-pool.js'
import {
  type Callback,
  type QueryCall,
  answer,
  queryCall,
} from '../postgres/statement/query-call.js'
import type { Session } from '../postgres/session/session.js'
import { asCaller } from '../support/caller-context.js'
import { toError } from '../postgres/sql-state.js'

/** pg's own `query`, with all its overloads. */
export type QueryFunction = ClientBase['query']

/**
 * What `fn` is given: `query` as on a `pg.Client`, answering for one schema only.
 *
 * No client is taken from the pool before the first query, and none can be used after `fn` has
 * settled.
 */
export interface ScopedClient {
  /** The schema that this client answers for. */
  readonly schema: SchemaName
  /** As `client.query` of pg: text, values, config objects, cursors, callbacks and promises. */
  readonly query: QueryFunction
  /**
   * Runs `fn` behind a savepoint of the open transaction: what it did is undone when it rejects,
   * and the transaction goes on.
   *
   * @throws what `fn` throws, and SQLSTATE `25P01` outside of a transaction
   */
  savepoint<R>(fn: () => Promise<R>): Promise<R>
}

interface Waiting {
  readonly send: (session: Session) => void
  readonly settle: Callback
}

/** A {@link ScopedClient} with the handles that its owner needs. */
export class LentClient implements ScopedClient {
  readonly schema: SchemaName
  readonly query: QueryFunction
  readonly #leases: LeasePool
  readonly #request: LeaseRequest
  #session: Session | undefined
  #opening: Promise<void> | undefined
  /** Set at the end of the scope; the error itself costs too much to be made before it is thrown. */
  #closed: { readonly cause?: Error } | undefined
  #aborted: Error | undefined
  #savepoints = 0
  readonly #backlog: Waiting[] = []

  constructor(leases: LeasePool, request: LeaseRequest) {
    this.#leases = leases
    this.#request = request
    this.schema = request.prelude.schema
    // The overloads of pg are described by their type; the arguments are sorted at run time.
    this.query = ((...args: unknown[]) => this.#query(queryCall(args))) as QueryFunction
  }

  #query(call: QueryCall): unknown {
    if (this.#closed !== undefined) throw scopeClosed(this.schema, this.#closed.cause)
    return answer(call, (settle) => {
      if (this.#session !== undefined) {
        this.#session.run(call, settle)
        return
      }
      // It is sent by whoever opens the client, and tracers ask who is calling.
      const send = asCaller((session: Session) => session.run(call, settle))
      this.#backlog.push({ send, settle })
      this.#opening ??= this.#open()
    })
  }

  /** Calls that came before the client are run in their order as soon as it is there. */
  async #open(): Promise<void> {
    try {
      const session = await this.#leases.open(this.#request)
      this.#session = session
      if (this.#aborted !== undefined) throw this.#aborted
      for (const { send } of this.#backlog.splice(0)) send(session)
    } catch (error) {
      this.#opening = undefined
      for (const { settle } of this.#backlog.splice(0)) settle(toError(error))
    }
  }

  async savepoint<R>(fn: () => Promise<R>): Promise<R> {
    this.#savepoints += 1
    const name = `tenantry_${this.#savepoints}`
    await this.query(`savepoint ${name}`)
    try {
      const result = await fn()
      await this.query(`release savepoint ${name}`)
      return result
    } catch (error) {
      await this.#undo(`rollback to savepoint ${name}`)
      throw error
    }
  }

  /** The error that calls for it is the one that counts, even if the connection is lost with it. */
  async #undo(text: string): Promise<void> {
    await Promise.resolve()
      .then(() => this.query(text))
      .catch(() => {})
  }

  /** Ends the use of the client; what runs is cancelled on the server. */
  abort(reason: Error): void {
    this.#closed ??= { cause: reason }
    this.#aborted ??= reason
    this.#session?.abandon(reason)
  }

  /** Ends the use of the client and hands out its session, if a client was ever taken. */
  async close(): Promise<Session | undefined> {
    this.#closed ??= {}
    await this.#opening
    return this.#session
  }
}

/** The error of every use after the end of a scope. */
export function scopeClosed(schema: string, cause?: Error): TenantryError {
  return new TenantryError(
    'SCOPE_CLOSED',
    `The scope of schema "${schema}" has ended, so its client cannot be used any more. ` +
      'Await every query inside the function that was given the client.',
    { schema, cause },
  )
}
