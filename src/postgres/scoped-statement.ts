import { explainPrelude, sendPlain, sendPrelude } from './prelude.js'
import type { ScopedSession } from './scoped-session.js'
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
  /** True until the prelude has been answered. */
  #awaitingPrelude = false
  /** The prelude's row has been seen: the next CommandComplete is its own. */
  #preludeRow = false
  #holdsPath = false
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
    return this.#awaitingPrelude ? undefined : this.#inner.name
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
    const { stream } = connection
    stream.cork?.()
    try {
      this.#sendScope(connection)
      if (takesOverSocket(this.#inner) && this.#awaitingPrelude) {
        connection.flush()
        return null
      }
      return this.#inner.submit(connection) ?? null
    } finally {
      stream.uncork?.()
    }
  }

  #sendScope(connection: WireConnection): void {
    const session = this.#session
    const status = session.status()
    if (status !== 'T') session.pathHeld = false
    if (status === 'E' || session.pathHeld || isTransactionControl(this.#inner.text)) return
    const begin = status === 'I' ? session.takeBegin() : undefined
    if (begin !== undefined) sendPlain(connection, begin)
    sendPrelude(connection, session.prelude)
    this.#awaitingPrelude = true
    this.#holdsPath = status === 'T' || begin !== undefined
  }

  handleRowDescription(message: unknown, connection: WireConnection): void {
    this.#inner.handleRowDescription?.(message, connection)
  }

  handleDataRow(message: unknown, connection: WireConnection): void {
    if (this.#awaitingPrelude) this.#preludeRow = true
    else this.#inner.handleDataRow?.(message, connection)
  }

  handleCommandComplete(message: CommandComplete, connection: WireConnection): void {
    if (!this.#awaitingPrelude) {
      this.#inner.handleCommandComplete?.(message, connection)
    } else if (this.#preludeRow) {
      this.#awaitingPrelude = false
      this.#session.pathHeld = this.#holdsPath
      if (takesOverSocket(this.#inner)) queueMicrotask(() => this.#submitLate(connection))
    }
  }

  #submitLate(connection: WireConnection): void {
    const error = this.#inner.submit(connection)
    if (!error) return
    connection.sync()
    this.handleError(error, connection)
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
    const name = this.#inner.name
    if (this.#awaitingPrelude && name && connection.submittedNamedStatements) {
      delete connection.submittedNamedStatements[name]
    }
    const late = this.#awaitingPrelude && takesOverSocket(this.#inner)
    const told = this.#awaitingPrelude ? explainPrelude(error, this.#session.prelude) : error
    this.#awaitingPrelude = false
    this.#inner.handleError?.(told, connection)
    if (late) connection.sync()
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

/**
 * `COPY … TO STDOUT` of pg-copy-streams reads the socket itself from its submit on, so it is
 * submitted only after the prelude's answer, still in the same implicit transaction.
 */
function takesOverSocket(inner: Submittable): boolean {
  return inner.handleRowDescription === undefined && inner.handleCopyInResponse === undefined
}
