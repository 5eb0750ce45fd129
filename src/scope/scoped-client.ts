import type { ClientBase, Pool } from 'pg'
import { TenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import { type QueryCall, answer, dispatch, queryCall } from '../postgres/dispatch.js'
import { openSession } from '../postgres/lease.js'
import type { ScopedSession } from '../postgres/scoped-session.js'
import type { Scope } from './context.js'

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
}

type Start = (session: ScopedSession) => void

/** A {@link ScopedClient} with the handles that its owner needs. */
export class LentClient implements ScopedClient {
  readonly schema: SchemaName
  readonly query: QueryFunction
  readonly #pool: Pool
  readonly #scope: Scope
  readonly #begin: string | undefined
  #session: ScopedSession | undefined
  #opening: Promise<void> | undefined
  #backlog: { start: Start; fail: (error: Error) => void }[] = []
  #closed = false

  constructor(pool: Pool, scope: Scope, begin?: string) {
    this.#pool = pool
    this.#scope = scope
    this.#begin = begin
    this.schema = scope.schema
    // The overloads of pg are described by their type; the arguments are sorted at run time.
    this.query = ((...args: unknown[]) => this.#query(queryCall(args))) as QueryFunction
  }

  #query(call: QueryCall): unknown {
    if (this.#closed) throw scopeClosed(this.schema)
    return answer(call, (settle) => {
      this.#withSession({ start: (session) => dispatch(session, call, settle), fail: settle })
    })
  }

  #withSession(waiting: { start: Start; fail: (error: Error) => void }): void {
    if (this.#session !== undefined) {
      waiting.start(this.#session)
      return
    }
    this.#backlog.push(waiting)
    this.#opening ??= this.#open()
  }

  async #open(): Promise<void> {
    try {
      this.#session = await openSession(this.#pool, this.#scope.prelude, this.#begin)
      for (const { start } of this.#backlog.splice(0)) start(this.#session)
    } catch (error) {
      const told = error instanceof Error ? error : new Error(String(error))
      for (const { fail } of this.#backlog.splice(0)) fail(told)
      this.#opening = undefined
    }
  }

  /** Ends the use of the client and hands out its session, if a client was ever taken. */
  async close(): Promise<ScopedSession | undefined> {
    this.#closed = true
    await this.#opening
    return this.#session
  }
}

/** The error of every use after the end of a scope. */
export function scopeClosed(schema: SchemaName): TenantryError {
  return new TenantryError(
    'SCOPE_CLOSED',
    `The scope of schema "${schema}" has ended, so its client cannot be used any more. ` +
      'Await every query inside the function that was given the client.',
    { schema },
  )
}
