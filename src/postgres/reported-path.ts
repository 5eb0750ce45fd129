import type { EventEmitter } from 'node:events'
import type { PoolClient } from 'pg'
import type { ClientMemory } from './client-memory.js'

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

const watched = new WeakSet<object>()

/**
 * Listens for the `search_path` that PostgreSQL 18 and newer report at each change.
 *
 * A scope's own path ends with its transaction, and the server then reports the session's path
 * again. The first report of it is kept; a later one that differs was somebody's `SET`.
 */
export function watchReportedPath(client: PoolClient, memory: ClientMemory): void {
  const connection: unknown = Reflect.get(client, 'connection')
  if (watched.has(client) || !isEmitter(connection)) return
  watched.add(client)
  connection.on('parameterStatus', (message: ParameterStatus) => {
    if (message.parameterName === 'search_path') memory.reportedPath = message.parameterValue
  })
  connection.on('readyForQuery', (message: { readonly status?: string }) => {
    if (message.status === 'I') memory.ownPath ??= memory.reportedPath
  })
}

function isEmitter(input: unknown): input is EventEmitter {
  return typeof input === 'object' && input !== null && 'on' in input && 'emit' in input
}
