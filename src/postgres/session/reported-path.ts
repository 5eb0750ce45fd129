import type { EventEmitter } from 'node:events'
import type { PoolClient } from 'pg'

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/**
 * What PostgreSQL 18 and newer report of a session's `search_path`: a tripwire for a path that a
 * scope has changed for good, however it did it. Older servers report nothing.
 *
 * A path that is local to a transaction is reported inside of it, and the session's own one when
 * it ends: so the session's own is known after the first transaction.
 */
export class ReportedPath {
  #watched = false
  #scope: string | undefined
  #sawScope = false
  #last: string | undefined
  #own: string | undefined

  /** Begins to listen, and notes the path of the scope that begins. */
  watch(client: PoolClient, scopePath: string): void {
    this.#scope = scopePath
    const connection: unknown = Reflect.get(client, 'connection')
    if (this.#watched || !isEmitter(connection)) return
    this.#watched = true
    connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      if (parameterName === 'search_path') this.#hear(parameterValue)
    })
  }

  #hear(path: string): void {
    this.#last = path
    if (path === this.#scope) this.#sawScope = true
  }

  /** Outside of a transaction: tells whether the session's path is another than before. */
  hasChanged(): boolean {
    if (this.#last === undefined) return false
    if (this.#sawScope) this.#own ??= this.#last
    return this.#last !== this.#own
  }
}

function isEmitter(input: unknown): input is EventEmitter {
  return typeof input === 'object' && input !== null && 'on' in input && 'emit' in input
}
