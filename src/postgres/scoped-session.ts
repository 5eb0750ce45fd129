import type { PoolClient } from 'pg'
import type { Prelude } from './prelude.js'
import { ScopedStatement } from './scoped-statement.js'
import { sqlStateOf } from './sql-state.js'
import type { Submittable, TransactionStatus, WireClient } from './wire.js'

/** A client of the pool that speaks the wire protocol in JavaScript. */
export type WirePoolClient = PoolClient & WireClient

/**
 * One client while it answers for one schema: the order of its statements and what they leave.
 *
 * Statements are handed to pg one at a time, so that each sees the transaction status that the
 * one before it has left.
 */
export class ScopedSession {
  readonly client: WirePoolClient
  readonly prelude: Prelude
  /** True while an open transaction has the path, so that its statements need no prelude. */
  pathHeld = false
  #begin: string | undefined
  #current: Submittable | undefined
  #broken: Error | undefined
  readonly #waiting: Submittable[] = []
  #idle: (() => void)[] = []

  /** @param begin The statement that opens a transaction together with the first statement. */
  constructor(client: WirePoolClient, prelude: Prelude, begin?: string) {
    this.client = client
    this.prelude = prelude
    this.#begin = begin
  }

  /** The server's own word on the transaction; true inside a statement's `submit`. */
  status(): TransactionStatus | null {
    return this.client.getTransactionStatus()
  }

  /** Hands out the BEGIN of a transaction scope, once. */
  takeBegin(): string | undefined {
    const begin = this.#begin
    this.#begin = undefined
    return begin
  }

  /** Runs a statement behind those that were submitted before it. */
  submit(statement: Submittable): void {
    if (this.#current) this.#waiting.push(statement)
    else this.#send(statement)
  }

  #send(statement: Submittable): void {
    this.#current = statement
    const scoped = new ScopedStatement(statement, this)
    this.client.query(scoped)
  }

  /** Called by a statement when it is over. An error that is not the server's breaks the client. */
  settled(error: Error | undefined): void {
    if (error !== undefined && isLost(error)) this.#broken ??= error
    const next = this.#waiting.shift()
    if (next !== undefined) {
      this.#send(next)
      return
    }
    this.#current = undefined
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Resolves when no statement runs and the server has said that it is ready for the next. */
  async idle(): Promise<void> {
    if (this.#current) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#broken === undefined) await readyForQuery(this.client)
  }

  /** Why the client cannot be used again, if it cannot. */
  get broken(): Error | undefined {
    return this.#broken
  }

  /** Marks the client as one that must not go back to the pool. */
  break(reason: Error): void {
    this.#broken ??= reason
  }

  /** True while a cursor or stream that nobody reads to its end holds the connection. */
  get statementHeld(): boolean {
    return this.#current !== undefined && !(this.#current.callback && 'requiresPreparation' in this.#current)
  }
}

/** A server's error leaves the connection usable; a fatal one or one of the socket does not. */
function isLost(error: Error): boolean {
  const cause = error.cause ?? error
  if (sqlStateOf(cause) === undefined) return true
  return typeof cause === 'object' && 'severity' in cause && cause.severity !== 'ERROR'
}

/** pg rejects a query at its error, before the server's ReadyForQuery that ends it. */
async function readyForQuery(client: PoolClient): Promise<void> {
  if (Reflect.get(client, 'readyForQuery') === true) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      client.off('drain', done)
      client.off('end', done)
      resolve()
    }
    client.once('drain', done)
    client.once('end', done)
  })
}
