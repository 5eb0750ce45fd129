import type { PoolClient } from 'pg'
import { cancelStatement } from '../cancel.js'
import { type ClientMemory, memoryOf } from './client-memory.js'
import type { Prelude } from '../statement/prelude.js'
import { type Callback, type QueryCall, failSubmittable } from '../statement/query-call.js'
import type { Repair } from '../statement/repair.js'
import { ScopedStatement } from '../statement/scoped-statement.js'
import type { Session, SessionRules, TransactionState } from './session.js'
import { isLost, toError } from '../sql-state.js'
import type { NamingRules } from '../statement/statement-name.js'
import { StatementQueue } from './statement-queue.js'
import type { TextRules } from '../statement/statement-text.js'
import {
  type Submittable,
  type TransactionStatus,
  type WireClient,
  isGivenUp,
  isPgQuery,
  isSubmittable,
  newQuery,
} from '../statement/wire.js'

/** A client of the pool that speaks the wire protocol in JavaScript. */
export type WirePoolClient = PoolClient & WireClient

/**
 * A session in which every statement carries the scope itself.
 *
 * Statements are handed to pg one at a time, so that each sees the transaction status that the
 * one before it has left.
 */
export class ScopedSession implements Session, TextRules {
  readonly client: WirePoolClient
  readonly prelude: Prelude
  readonly memory: ClientMemory
  readonly naming: NamingRules
  readonly ownsTransaction: boolean
  /** The path is set for the whole session: statements travel without a prelude. */
  readonly fixed: boolean
  /** A prelude of this scope has been answered: what is temporary now is the scope's own. */
  #entered = false
  /** An open transaction has the path, so that its statements need no prelude. */
  pathHeld = false
  #begin: string | undefined
  #current: Submittable | undefined
  #broken: Error | undefined
  #cancelling: Promise<void> | undefined
  readonly #opening: string[] = []
  readonly #waiting = new StatementQueue()
  readonly #idle: (() => void)[] = []

  constructor(client: WirePoolClient, prelude: Prelude, rules: SessionRules) {
    this.client = client
    this.prelude = prelude
    this.memory = memoryOf(client)
    this.#begin = rules.begin
    this.fixed = rules.fixed === true
    this.ownsTransaction = rules.begin !== undefined
    this.naming = rules.naming
  }

  get schema(): string {
    return this.prelude.schema
  }

  get broken(): Error | undefined {
    return this.#broken
  }

  get atRest(): boolean {
    return (
      this.#current === undefined &&
      this.#cancelling === undefined &&
      this.#broken === undefined &&
      !this.fixed &&
      isReady(this.client) &&
      this.status() === 'I'
    )
  }

  get held(): boolean {
    return this.#current !== undefined && !isPgQuery(this.#current)
  }

  run(call: QueryCall, settle: Callback): void {
    const { config } = call
    if (isSubmittable(config)) {
      this.#enqueue(config)
      return
    }
    try {
      this.#enqueue(newQuery(this.client, config, call.values, once(settle)))
    } catch (error) {
      settle(toError(error))
    }
  }

  #enqueue(statement: Submittable): void {
    if (this.#broken !== undefined) failSubmittable(statement, this.#broken)
    else if (this.#current) this.#waiting.push(statement, (next) => this.#send(next))
    else if (!isGivenUp(statement)) this.#send(statement)
  }

  #send(statement: Submittable, repaired = false): void {
    this.#current = statement
    // Tracers wrap the callback that they find among the arguments; pg puts it back in its place.
    const { callback } = statement
    if (callback !== undefined) statement.callback = undefined
    this.client.query(new ScopedStatement(statement, this, repaired), callback)
  }

  /** The server's own word on the transaction; true inside a statement's `submit`. */
  status(): TransactionStatus | null {
    return this.client.getTransactionStatus()
  }

  get entered(): boolean {
    return this.#entered
  }

  /** The caller's statements that opened a transaction in which nothing else has been run yet. */
  get opening(): readonly string[] {
    return this.#opening
  }

  /** A prelude of this scope has been answered. */
  enter(): void {
    this.#entered = true
    this.#opening.length = 0
  }

  /** Notes a statement that went out without a prelude, in case it has to be sent again. */
  noteOpening(text: string): void {
    if (this.status() === 'I') this.#opening.length = 0
    if (!this.pathHeld && !this.fixed && this.status() !== 'E') this.#opening.push(text)
  }

  /** The scope's transaction is still to be opened. */
  get beginPending(): boolean {
    return this.#begin !== undefined
  }

  /** Hands out the BEGIN of a transaction scope, once. */
  takeBegin(): string | undefined {
    const begin = this.#begin
    this.#begin = undefined
    return begin
  }

  /** Mends the connection and runs a statement again. */
  resubmit(statement: Submittable, { kind, texts, begin }: Repair): void {
    this.#begin = begin ?? this.#begin
    if (kind === 'discard') {
      // The backend keeps its empty temporary schema, so the client is replaced at the end.
      this.memory.leavings.add('temporary')
      this.#entered = true
    }
    this.#mend(texts).then(
      () => this.#send(statement, true),
      (error: unknown) => {
        failSubmittable(statement, toError(error))
        this.settled(toError(error), false)
      },
    )
  }

  async #mend(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.client.query(text)
  }

  /**
   * Called by a statement when it is over. An error that is not the server's breaks the client.
   *
   * @param rollBack The statement ran in a block of its own, which its error has left open.
   */
  settled(error: Error | undefined, rollBack: boolean): void {
    if (error !== undefined && isLost(error)) this.#broken ??= error
    if (!rollBack || this.#broken !== undefined) {
      this.#next()
      return
    }
    this.client.query('rollback').then(
      () => this.#next(),
      (failure: unknown) => {
        this.break(toError(failure))
        this.#next()
      },
    )
  }

  #next(): void {
    if (this.#waiting.sendNext()) return
    this.#current = undefined
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async idle(): Promise<void> {
    await this.#cancelling
    if (this.#current) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#broken === undefined) await readyForQuery(this.client)
  }

  transaction(): TransactionState {
    const status = this.status()
    if (status === 'I') return 'none'
    return status === 'T' ? 'open' : 'failed'
  }

  abandon(reason: Error): void {
    for (const statement of this.#waiting.clear()) failSubmittable(statement, reason)
    if (this.#current) this.#cancelling = cancelStatement(this.client)
  }

  break(reason: Error): void {
    this.#broken ??= reason
  }
}

/** pg calls back twice for a value that it cannot send. */
function once(settle: Callback): Callback {
  let settled = false
  return (error, result) => {
    if (settled) return
    settled = true
    settle(error, result)
  }
}

function isReady(client: PoolClient): boolean {
  return Reflect.get(client, 'readyForQuery') === true
}

/** pg rejects a query at its error, before the server's ReadyForQuery that ends it. */
async function readyForQuery(client: PoolClient): Promise<void> {
  if (isReady(client)) return
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
