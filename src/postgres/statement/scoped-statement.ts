import { copyConnection, isCopyStream } from './copy-stream.js'
import { isDirect } from '../pooler.js'
import { BACKEND_COLUMN, explainPrelude } from './prelude.js'
import { repairOf } from './repair.js'
import type { ScopedSession } from '../session/scoped-session.js'
import { blockConnection } from './routine-block.js'
import {
  closeEvicted,
  forgetPrepared,
  forgetSubmitted,
  isToldAtOnce,
  nameStatement,
} from './statement-name.js'
import { callsRoutine, chooseProtocol } from './statement-text.js'
import { StatementView } from './statement-view.js'
import { isTransactionControl } from '../transaction-control.js'
import { sendPlain } from './wire-message.js'
import {
  type CommandComplete,
  type DataRow,
  type Submittable,
  type TransactionStatus,
  type WireConnection,
  type WireStatement,
  sendsNoSync,
  isPgQuery,
  textOf,
} from './wire.js'

/**
 * A statement that carries its scope: it is sent behind the prelude in one batch.
 *
 * It stands between pg's client and the query, cursor or stream that the caller made, sends the
 * prelude in front, and keeps the prelude's answer from it. Everything else passes through, so
 * each feature of the inner object works as it does without a scope.
 */
export class ScopedStatement extends StatementView implements WireStatement {
  readonly #session: ScopedSession
  /** The name that the caller gave; on the wire each tenant has its own. */
  readonly #givenName: string | undefined
  readonly #repaired: boolean
  readonly #text: string
  #key: string | undefined
  #status: TransactionStatus | null = null
  #begin: string | undefined
  /** The prelude is sent and not yet answered. */
  #awaiting = false
  /** A CALL or DO, in a transaction block that ends with it. */
  #block = false
  #blockEnds = false
  /** A COPY stream waits for the prelude's answer. */
  #copyWaits = false
  /** Why the statement was not sent: the caller's mistake, not the connection's. */
  #refused: Error | undefined
  #settled = false

  constructor(inner: Submittable, session: ScopedSession, repaired = false) {
    super(inner)
    this.#session = session
    this.#givenName = inner.name
    this.#repaired = repaired
    this.#text = textOf(inner)
  }

  /**
   * Hidden while the prelude runs, so that pg does not take its ParseComplete for the statement's.
   * Never `undefined`: tracers put comments into statements without a name, by a copy of what they
   * are given, and a copy of this one would run without its scope.
   */
  get name(): string | null {
    return this.#awaiting ? null : (this.inner.name ?? null)
  }

  submit(connection: WireConnection): Error | null {
    this.#refused = chooseProtocol(this.inner, this.#session)
    if (this.#refused !== undefined) return this.#refused
    const { stream } = connection
    stream.cork?.()
    try {
      this.#send(connection)
    } finally {
      stream.uncork?.()
    }
    return this.#awaiting ? null : (this.#refused ?? null)
  }

  #send(connection: WireConnection): void {
    const session = this.#session
    this.#status = session.status()
    if (this.#status !== 'T') session.pathHeld = false
    this.#key = nameStatement(this.inner, session)
    session.memory.noteText(this.#text)
    if (this.#needsPrelude()) this.#sendPrelude(connection)
    else session.noteOpening(this.#text)
    closeEvicted(connection, session.memory)
    this.#copyWaits = this.#awaiting && isCopyStream(this.inner)
    if (this.#copyWaits) connection.flush()
    else this.#submitInner(connection)
  }

  /** A query that pg refuses after the prelude was sent is told so once the server has answered. */
  #submitInner(connection: WireConnection): void {
    const target = this.#block ? blockConnection(connection) : connection
    const { memory } = this.#session
    const submit = (): void => {
      this.#refused = this.inner.submit(target) ?? undefined
    }
    if (this.#key === undefined) submit()
    else if (isToldAtOnce(this.inner, submit)) memory.forgetStatement(this.#key)
    if (this.#refused !== undefined && this.#awaiting) connection.sync()
  }

  /** In a failed transaction there is nothing to scope, and a ROLLBACK must get through. */
  #needsPrelude(): boolean {
    const { fixed, pathHeld, beginPending } = this.#session
    if (fixed || pathHeld || this.#status === 'E') return false
    return beginPending || !isTransactionControl(this.#text)
  }

  #sendPrelude(connection: WireConnection): void {
    const session = this.#session
    if (this.#status === 'I') {
      this.#begin = session.takeBegin()
      this.#block = this.#begin === undefined && callsRoutine(this.#text)
    }
    const begin = this.#block ? 'begin' : this.#begin
    if (begin !== undefined) sendPlain(connection, begin)
    this.#awaiting = true
    const form = session.entered ? session.prelude.stay : session.prelude.enter
    connection.stream.write(session.memory.preludeBytes(form))
  }

  handleDataRow(message: DataRow, connection: WireConnection): void {
    if (this.#awaiting) this.#preludeAnswers(message)
    else this.inner.handleDataRow?.(message, connection)
  }

  #preludeAnswers(message: DataRow): void {
    const { memory, client } = this.#session
    memory.direct ??= isDirect(client, String(message.fields[BACKEND_COLUMN]))
  }

  handleCommandComplete(message: CommandComplete, connection: WireConnection): void {
    if (this.#awaiting) {
      // The BEGIN in front of it has an answer of its own.
      if (message.text?.startsWith('SELECT')) this.#preludeDone(connection)
      return
    }
    if (this.#blockEnds) return
    this.#blockEnds = this.#block
    this.#remember(message.text ?? '', connection)
    this.inner.handleCommandComplete?.(message, connection)
  }

  #preludeDone(connection: WireConnection): void {
    this.#awaiting = false
    const session = this.#session
    session.enter()
    session.pathHeld = this.#begin !== undefined || this.#status === 'T'
    if (this.#copyWaits) queueMicrotask(() => this.#submitCopy(connection))
  }

  #submitCopy(connection: WireConnection): void {
    this.#copyWaits = false
    this.inner.submit(this.#session.pathHeld ? connection : copyConnection(connection))
  }

  #remember(tag: string, connection: WireConnection): void {
    const { memory } = this.#session
    memory.noteTag(tag, this.#text)
    // After COMMIT AND CHAIN or ROLLBACK TO a transaction goes on, and its path may be gone.
    if (tag === 'COMMIT' || tag === 'ROLLBACK') this.#session.pathHeld = false
    if (/^(DISCARD|DEALLOCATE) ALL$/.test(tag)) forgetPrepared(connection, memory)
  }

  handleError(error: Error, connection: WireConnection): void {
    const inPrelude = this.#awaiting
    this.#awaiting = false
    if (inPrelude) forgetSubmitted(connection, this.inner.name)
    const repaired = this.#isRepaired(error, inPrelude, connection)
    if (this.#owesSync(inPrelude, repaired)) connection.sync()
    if (repaired) return
    const told = inPrelude ? explainPrelude(error, this.#session.prelude) : error
    this.inner.handleError?.(told, connection)
    this.#settle(error === this.#refused ? undefined : told)
  }

  #owesSync(inPrelude: boolean, repaired: boolean): boolean {
    if (this.#copyWaits || (inPrelude && sendsNoSync(this.inner))) return true
    // A cursor sends its Sync when it is told of its error, and a repaired one is not told.
    return repaired && !isPgQuery(this.inner)
  }

  /** Some errors are none of the caller's: the statement is run again, once. */
  #isRepaired(error: Error, inPrelude: boolean, connection: WireConnection): boolean {
    if (this.#repaired || this.#settled) return false
    const session = this.#session
    const sent = { status: this.#status, begin: this.#begin, block: this.#block, inPrelude }
    const { opening } = session
    const repair = repairOf({ error, named: this.#key !== undefined, opening, ...sent })
    if (repair === undefined) return false
    this.#settled = true
    if (repair.kind === 'forget all') forgetPrepared(connection, session.memory)
    if (repair.kind === 'parse again') session.memory.forgetStatement(this.#key ?? '')
    if (isPgQuery(this.inner)) this.inner.name = this.#givenName
    session.resubmit(this.inner, repair)
    return true
  }

  handleReadyForQuery(connection: WireConnection): void {
    if (this.#settled) return
    // The session first, so that who hears of the end finds it at rest.
    this.#settle(undefined)
    if (this.#refused !== undefined) this.inner.handleError?.(this.#refused, connection)
    else this.inner.handleReadyForQuery?.(connection)
  }

  /** Once only: a query that timed out is answered a second time when the server is done with it. */
  #settle(error: Error | undefined): void {
    if (this.#settled) return
    this.#settled = true
    const failed = error !== undefined || this.#refused !== undefined
    this.#session.settled(error, this.#block && failed)
  }
}
