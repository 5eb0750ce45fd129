import { copyConnection, isCopyStream } from './copy-stream.js'
import { executePrelude, explainPrelude, sendPlain } from './prelude.js'
import type { ScopedSession } from './scoped-session.js'
import { chooseProtocol } from './statement-text.js'
import { isTransactionControl } from './transaction-control.js'
import type { CommandComplete, Submittable, WireConnection } from './wire.js'

/**
 * A statement that carries its scope: it is sent behind the prelude in one batch.
 *
 * It stands between pg's client and the query, cursor or stream that the caller made, sends the
 * prelude in front, and keeps the prelude's answer from it. Everything else passes through, so
 * each feature of the inner object works as it does without a scope.
 */
export class ScopedStatement implements Submittable {
  readonly #inner: Submittable
  readonly #session: ScopedSession
  /** The prelude is sent and not yet answered. */
  #awaiting = false
  /** The prelude's row has been seen: the next CommandComplete is its own. */
  #preludeRow = false
  /** The statement runs in a transaction that has the path until its end. */
  #holdsPath = false
  /** A COPY stream waits for the prelude's answer, and no Sync is sent yet. */
  #copyWaits = false
  #settled = false

  constructor(inner: Submittable, session: ScopedSession) {
    this.#inner = inner
    this.#session = session
  }

  get text(): string | undefined {
    return this.#inner.text
  }

  /** Hidden while the prelude runs, so that pg does not take its ParseComplete for the statement's. */
  get name(): string | undefined {
    return this.#awaiting ? undefined : this.#inner.name
  }

  get callback(): Submittable['callback'] {
    return this.#inner.callback
  }

  set callback(callback: Submittable['callback']) {
    this.#inner.callback = callback
  }

  /** pg hands its type parsers to this member of a query. */
  get _result(): unknown {
    return Reflect.get(this.#inner, '_result')
  }

  submit(connection: WireConnection): Error | null {
    const refused = chooseProtocol(this.#inner, this.#session.prelude.schema)
    if (refused !== undefined) return refused
    const { stream } = connection
    stream.cork?.()
    try {
      if (!this.#needsPrelude()) return this.#inner.submit(connection) ?? null
      this.#sendPrelude(connection)
      this.#copyWaits = isCopyStream(this.#inner)
      if (!this.#copyWaits) return this.#inner.submit(connection) ?? null
      connection.flush()
      return null
    } finally {
      stream.uncork?.()
    }
  }

  /** In a failed transaction there is nothing to scope, and a ROLLBACK must get through. */
  #needsPrelude(): boolean {
    const session = this.#session
    const status = session.status()
    if (status !== 'T') session.pathHeld = false
    return status !== 'E' && !session.pathHeld && !isTransactionControl(this.#inner.text)
  }

  #sendPrelude(connection: WireConnection): void {
    const session = this.#session
    const begin = session.status() === 'I' ? session.takeBegin() : undefined
    if (begin !== undefined) sendPlain(connection, begin)
    this.#awaiting = true
    this.#holdsPath = begin !== undefined || session.status() === 'T'
    executePrelude(connection, session.prelude)
  }

  handleRowDescription(message: unknown, connection: WireConnection): void {
    this.#inner.handleRowDescription?.(message, connection)
  }

  handleDataRow(message: unknown, connection: WireConnection): void {
    if (this.#awaiting) this.#preludeRow = true
    else this.#inner.handleDataRow?.(message, connection)
  }

  handleCommandComplete(message: CommandComplete, connection: WireConnection): void {
    if (!this.#awaiting) {
      this.#inner.handleCommandComplete?.(message, connection)
    } else if (this.#preludeRow) {
      this.#awaiting = false
      this.#session.pathHeld = this.#holdsPath
      if (this.#copyWaits) queueMicrotask(() => this.#submitCopy(connection))
    }
  }

  #submitCopy(connection: WireConnection): void {
    this.#copyWaits = false
    this.#inner.submit(copyConnection(connection))
  }

  handlePortalSuspended(connection: WireConnection): void {
    this.#inner.handlePortalSuspended?.(connection)
  }

  handleEmptyQuery(connection: WireConnection): void {
    this.#inner.handleEmptyQuery?.(connection)
  }

  handleCopyInResponse(connection: WireConnection): void {
    this.#inner.handleCopyInResponse?.(connection)
  }

  handleCopyData(message: unknown, connection: WireConnection): void {
    this.#inner.handleCopyData?.(message, connection)
  }

  handleError(error: Error, connection: WireConnection): void {
    const { name } = this.#inner
    const told = this.#awaiting ? explainPrelude(error, this.#session.prelude) : error
    if (this.#awaiting && name && connection.submittedNamedStatements) {
      delete connection.submittedNamedStatements[name]
    }
    this.#awaiting = false
    if (this.#copyWaits) connection.sync()
    this.#inner.handleError?.(told, connection)
    this.#settle(told)
  }

  handleReadyForQuery(connection: WireConnection): void {
    this.#inner.handleReadyForQuery?.(connection)
    this.#settle(undefined)
  }

  /** Once only: a query that timed out is answered a second time when the server is done with it. */
  #settle(error: Error | undefined): void {
    if (this.#settled) return
    this.#settled = true
    this.#session.settled(error)
  }
}
