import { TenantryError } from '../../errors.js'
import { type SqlStatement, splitStatements } from '../../postgres/sql-text.js'
import { lineAt } from '../../support/line.js'
import { blankOut } from './blank-out.js'
import type { Migration } from '../source.js'

/** The unit is one transaction, so these have nothing to do in it. */
const REDUNDANT: ReadonlySet<string> = new Set(['begin', 'start', 'commit', 'end'])

const texts = new WeakMap<Migration, string>()

/**
 * The text of a migration as a part of a bigger transaction: its own BEGIN and COMMIT are blanked,
 * because what follows a COMMIT would run without the path, in another schema.
 *
 * Every character keeps its place.
 *
 * @throws `MIGRATION_SOURCE_INVALID` for a text that takes work back, or that does not end where
 * its file ends: an open quote would swallow the next migration.
 */
export function textInTransaction(migration: Migration): string {
  const known = texts.get(migration)
  if (known !== undefined) return known
  const text = blankControls(migration)
  texts.set(migration, text)
  return text
}

function blankControls(migration: Migration): string {
  const { sql } = migration
  const statements = splitStatements(`${sql}\n;\nselect`)
  const last = statements.at(-1)
  if (last === undefined || last.start < sql.length) throw unclosed(migration, last?.start ?? 0)
  let text = sql
  for (const statement of statements) {
    if (takesBack(statement)) throw rollback(migration, statement.start)
    if (isRedundant(statement)) text = blankOut(text, statement)
  }
  return text
}

/** Begins or commits a transaction, which a part of a bigger one need not do. */
export function isRedundant({ words: [first = '', second] }: SqlStatement): boolean {
  return REDUNDANT.has(first) && second !== 'prepared'
}

/** Takes back what others may have done in the same transaction, or leaves it to somebody else. */
export function takesBack({ words: [first, second, third] }: SqlStatement): boolean {
  if (first === 'prepare') return second === 'transaction'
  return (first === 'rollback' || first === 'abort') && second !== 'to' && third !== 'to'
}

function unclosed(migration: Migration, offset: number): TenantryError {
  return invalid(
    migration,
    offset,
    'begins a statement here that does not end: a quote, a comment or a parenthesis is left ' +
      'open. Close it.',
  )
}

function rollback(migration: Migration, offset: number): TenantryError {
  return invalid(
    migration,
    offset,
    'ends its transaction here and takes back what other migrations of the same run did. ' +
      'Remove the statement, or use a savepoint.',
  )
}

function invalid(migration: Migration, offset: number, sentence: string): TenantryError {
  const { fileName, file, sql } = migration
  const line = lineAt(sql, offset)
  return new TenantryError('MIGRATION_SOURCE_INVALID', `${fileName}, line ${line}, ${sentence}`, {
    migration: fileName,
    ...(file !== undefined && { file }),
    line,
  })
}
