import type { ClientBase, PoolClient } from 'pg'
import { type ErrorFacts, TenantryError } from '../../errors.js'
import { memoryOf } from '../../postgres/session/client-memory.js'
import { crossesTransaction } from '../../postgres/transaction-control.js'
import { isSubmittable, textOf } from '../../postgres/statement/wire.js'
import { readSettings, restoreSettings } from './settings.js'
import { setLocalPath } from '../../postgres/local-path.js'
import { shortened } from './shortened.js'

/** What the code of a service is lent inside of a transaction that is not its own. */
export type TransactionDb = Pick<ClientBase, 'query'>

/** Who is lent a client, for the errors of what it must not do. */
export interface Borrower {
  /** Such as `3_fees.ts` or `The hook afterCreate`. */
  readonly name: string
  readonly facts: ErrorFacts
}

/**
 * Lends the client of an open transaction to code of the service, on a schema's path.
 *
 * The transaction stays open whatever the code sends, and afterwards the client answers no more.
 * Settings and role are then what they were. Fails, as the next statement would, where the code has
 * swallowed the failure of a statement.
 */
export async function lendTransaction(
  client: PoolClient,
  { path, borrower }: { readonly path: string; readonly borrower: Borrower },
  work: (db: TransactionDb) => Promise<unknown> | void,
): Promise<void> {
  const before = await readSettings(client)
  await setLocalPath(client, path)
  const lent = lend(client, borrower)
  try {
    await work(lent.db)
  } finally {
    lent.revoke()
  }
  await restoreSettings(client, before, '')
}

interface Lent {
  readonly db: TransactionDb
  readonly revoke: () => void
}

/** A client that is kept would be the next borrower's, and its COMMIT would be half of the work. */
function lend(client: PoolClient, borrower: Borrower): Lent {
  const memory = memoryOf(client)
  const send: (...call: readonly unknown[]) => unknown = client.query.bind(client)
  let revoked = false
  const query = (...call: readonly unknown[]): unknown => {
    if (revoked) throw closed(borrower)
    const text = sqlOf(call[0])
    if (text === undefined || crossesTransaction(text)) throw refused(borrower, text)
    memory.noteScript(text)
    return send(...call)
  }
  return { db: Object.freeze({ query: Object.assign(query) }), revoke: () => (revoked = true) }
}

/** What cannot be read cannot be judged. */
function sqlOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query
  if (isSubmittable(query)) return textOf(query) || undefined
  if (typeof query !== 'object' || query === null || !('text' in query)) return undefined
  return typeof query.text === 'string' ? query.text : undefined
}

function closed({ name, facts }: Borrower): TenantryError {
  return new TenantryError(
    'SCOPE_CLOSED',
    `${name} used its client after it had ended. Await every query before the function returns.`,
    facts,
  )
}

function refused({ name, facts }: Borrower, statement: string | undefined): TenantryError {
  if (statement === undefined) {
    return new TenantryError(
      'STATEMENT_REFUSED',
      `${name} sent something without a text, of which nobody knows whether it ends the ` +
        'transaction. Give "query" a text, an object with one, or a cursor.',
      facts,
    )
  }
  return new TenantryError(
    'STATEMENT_REFUSED',
    `${name} is part of its schema's transaction, so it cannot begin or end one. ` +
      'Remove the statement, or use a savepoint.',
    { ...facts, statement: shortened(statement) },
  )
}
