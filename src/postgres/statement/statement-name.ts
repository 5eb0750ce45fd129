import type { ClientMemory } from '../session/client-memory.js'
import { hasPlan } from './statement-text.js'
import { type Submittable, type WireConnection, isPgQuery } from './wire.js'

/** How the statements of a scope are named on the wire. */
export interface NamingRules {
  /** Name statements that have no name, so that they are parsed once per client and tenant. */
  readonly prepare: boolean
  /** How many named statements one client may hold. */
  readonly maxStatements: number
}

/** Whose statements are named, and on which client. */
export interface NamingScope {
  readonly schema: string
  readonly memory: ClientMemory
  readonly naming: NamingRules
}

/**
 * Gives a statement the name under which its tenant's plan is kept on this connection.
 *
 * One name for all tenants would fail: schemas may have types of their own, and a plan that
 * changes its result type is refused by the server (0A000).
 *
 * @returns the key under which the memory keeps the name; `undefined` for an unnamed statement.
 */
export function nameStatement(
  statement: Submittable,
  { schema, memory, naming }: NamingScope,
): string | undefined {
  if (!isPgQuery(statement)) return undefined
  const { name, text = '' } = statement
  if (!name && !(naming.prepare && hasPlan(text) && !statement.rows)) return undefined
  const key = name ? `${schema}\u0000${name}` : `${schema}\u0000\u0000${text}`
  statement.name = memory.wireName(key, naming.maxStatements)
  return key
}

/** Closes the statements that had to give way; the answers are of no interest to pg. */
export function closeEvicted(connection: WireConnection, memory: ClientMemory): void {
  for (const name of memory.takeEvicted()) {
    delete connection.parsedStatements[name]
    connection.close({ type: 'S', name })
  }
}

/** Forgets every prepared statement of a connection, as the server has. */
export function forgetPrepared(connection: WireConnection, memory: ClientMemory): void {
  for (const name of memory.forgetStatements()) delete connection.parsedStatements[name]
}

/** The server has skipped a statement's Parse, which pg takes for sent. */
export function forgetSubmitted(connection: WireConnection, name: string | undefined): void {
  if (name && connection.submittedNamedStatements) delete connection.submittedNamedStatements[name]
}

/**
 * Submits a query, and tells whether it was answered before the server could: pg could not send one
 * of its values, and has closed the statement that it had just parsed.
 */
export function isToldAtOnce(query: Submittable, submit: () => void): boolean {
  const { callback } = query
  let told = false
  query.callback = (error, result) => {
    told = true
    callback?.(error, result)
  }
  submit()
  query.callback = callback
  return told
}
