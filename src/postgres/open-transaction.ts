import type { PoolClient } from 'pg'
import type { Database } from './database.js'

/** A transaction that is open already, for what would open one of its own. */
export function openTransaction(client: PoolClient): Database {
  return {
    query: (text, values) => client.query(text, values && [...values]),
    transaction: (work) => work(client),
    lend: (work) => work(client),
    attend: (work) => work(),
    session: () => Promise.reject(new Error('A transaction is open already.')),
  }
}
