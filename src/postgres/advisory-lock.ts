import { createHash } from 'node:crypto'
import type { SchemaName } from '../names/schema-name.js'
import { isYes, yesIf } from './answer.js'
import type { Queryable } from './queryable.js'

/**
 * A 64-bit lock key from the parts of a name.
 *
 * PostgreSQL's advisory locks belong to one database, so the database is no part of the key.
 *
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export function lockKey(...parts: readonly string[]): string {
  const hash = createHash('sha256')
    .update(['tenantry', ...parts].join('\u0000'))
    .digest()
  return hash.readBigInt64BE(0).toString()
}

/** The lock that a session has, shared, while its path is set to a schema between transactions. */
export function sessionKey(schema: SchemaName): string {
  return lockKey('schema in session', schema)
}

/**
 * Takes a lock that ends with the running transaction.
 *
 * A pooler in transaction mode grants a session-level lock to two clients, so one is only used on a
 * session that is known to be the client's own.
 */
export async function lockTransaction(db: Queryable, key: string): Promise<void> {
  await db.query('select pg_advisory_xact_lock($1)', [key])
}

/**
 * Takes a lock that ends with the session, if nobody has it.
 *
 * It does not wait: a statement that waits holds a snapshot, and CREATE INDEX CONCURRENTLY waits for
 * those who hold one.
 */
export async function tryLockSession(db: Queryable, key: string): Promise<boolean> {
  const { rows } = await db.query<{ locked: string | null }>(
    `select ${yesIf('pg_try_advisory_lock($1)')} as locked`,
    [key],
  )
  return isYes(rows[0]?.locked)
}
