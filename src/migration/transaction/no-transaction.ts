import { splitStatements } from '../../postgres/sql-text.js'
import { hasNoTransactionMarker } from './marker.js'
import { isKnownToCommit, wantsOwnTransactions } from './own-transactions.js'
import type { Migration } from '../source.js'

/** Most files have none of these words, and are not lexed for this. */
const MAY_BE = /\b(concurrently|vacuum|reindex|alter\s+system|database|tablespace|subscription)\b/i

/** Statements that PostgreSQL refuses in a transaction. */
const REFUSED = [
  /^vacuum\b/,
  /^alter system\b/,
  /^create (unique )?index concurrently\b/,
  /^drop index concurrently\b/,
  /^reindex\b.*\bconcurrently\b/,
  /^reindex (\([^)]*\) ?)?(database|system|schema)\b/,
  /^(create|drop) (database|tablespace|subscription)\b/,
  /^alter table\b.*\bdetach partition\b.*\bconcurrently\b/,
]
const BLANKS = /(?:--[^\n]*|\/\*[^]*?\*\/|\s)+/g

const known = new WeakMap<Migration, boolean>()

/**
 * Tells whether a migration has to run outside of a transaction: by its marker, by its statements, or
 * because it has transactions of its own.
 */
export function needsNoTransaction(migration: Migration): boolean {
  if (isKnownToCommit(migration)) return true
  const found = known.get(migration) ?? look(migration)
  known.set(migration, found)
  return found
}

function look({ sql, code }: Migration): boolean {
  if (code !== undefined) return false
  if (hasNoTransactionMarker(sql) || wantsOwnTransactions(sql)) return true
  if (!MAY_BE.test(sql)) return false
  return splitStatements(sql).some(({ start, end }) => isRefused(sql.slice(start, end)))
}

/** Tells whether PostgreSQL refuses a statement in a transaction, as far as its text tells. */
function isRefused(statement: string): boolean {
  const plain = statement.replaceAll(BLANKS, ' ').toLowerCase()
  return REFUSED.some((form) => form.test(plain))
}

const CONCURRENTLY =
  /^((?:create|drop)(?:\s|\/\*[^]*?\*\/)+(?:unique(?:\s|\/\*[^]*?\*\/)+)?index(?:\s|\/\*[^]*?\*\/)+)concurrently\b/i

/**
 * The same migration for a schema that nobody has seen yet: an empty table is indexed at once, and
 * there is nothing to vacuum. So all of it can be in the transaction that makes the schema.
 */
export function forNewSchema(migration: Migration): Migration {
  if (!needsNoTransaction(migration)) return migration
  let { sql } = migration
  for (const { start, end } of splitStatements(sql)) {
    const statement = sql.slice(start, end)
    const plain = /^vacuum\b/i.test(statement)
      ? ' '.repeat(statement.length)
      : statement.replace(CONCURRENTLY, (all, head: string) => head.padEnd(all.length))
    sql = sql.slice(0, start) + plain + sql.slice(end)
  }
  return { ...migration, sql }
}
