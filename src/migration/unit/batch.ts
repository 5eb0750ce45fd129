import { quoteLiteral } from '../../names/schema-name.js'
import { splitStatements } from '../../postgres/sql-text.js'
import { lineAt } from '../../support/line.js'
import { textInTransaction } from '../transaction/one-transaction.js'
import { shortened } from './shortened.js'
import type { Migration } from '../source.js'
import { isError } from '../../support/is-error.js'
import { present } from '../../support/present.js'

/** Many migrations as one text, with what is needed to find a place in it again. */
export interface MigrationBatch {
  readonly text: string
  readonly parts: readonly BatchPart[]
}

interface BatchPart {
  readonly migration: Migration
  /** Offset of the migration's first character in the text, in UTF-16 units. */
  readonly start: number
}

/** Where in its file a migration failed. */
export interface Place {
  readonly migration: Migration
  /** One-based. */
  readonly line?: number
  /** The statement that stands there, shortened. */
  readonly statement?: string
}

/** The column of the marker row that each migration of a batch begins with. */
export const STEP_COLUMN = 'tenantry_step'

/** A file may end in a comment or without its semicolon. */
const END = '\n;\n'

/**
 * Joins migrations into one text, so that a schema is migrated in one round trip.
 *
 * Before each migration a marker row is selected: an error without a position, such as a violated
 * constraint, is then put down to the migration whose marker came last. The marker sets the path
 * anew, which the migration before may have changed.
 *
 * @param path The text of the whole `search_path`.
 * @param head What the text begins with, before the first migration.
 * @throws `MIGRATION_SOURCE_INVALID` for a migration that cannot share a transaction.
 */
export function batchOf(migrations: readonly Migration[], path: string, head = ''): MigrationBatch {
  const setPath = `pg_catalog.set_config('search_path', ${quoteLiteral(path)}, true)`
  let text = head
  const parts = migrations.map((migration) => {
    text += `select ${migration.id} as ${STEP_COLUMN}, ${setPath};\n`
    const part = { migration, start: text.length }
    text += textInTransaction(migration) + END
    return part
  })
  return { text, parts }
}

/**
 * The place of an error in its file.
 *
 * @param position The server's one-based position in the text, counted in characters.
 * @param step The id of the migration whose marker came last; none came if the text as a whole
 * could not be read, and then the position alone tells the migration.
 */
export function placeOf(
  batch: MigrationBatch,
  position: number | undefined,
  step: number | undefined,
): Place | undefined {
  const offset = position === undefined ? undefined : offsetOf(batch.text, position)
  const part = batch.parts.find(({ migration, start }) =>
    step === undefined ? holds(migration, start, offset) : migration.id === step,
  )
  if (part === undefined) return undefined
  const { migration, start } = part
  if (offset === undefined || !holds(migration, start, offset)) return { migration }
  return placeIn(migration, Math.min(offset - start, migration.sql.trimEnd().length))
}

/** Where that is refused which is checked at the end: in the last migration that names the table. */
export function placeAtEnd(migrations: readonly Migration[], error: unknown): Place | undefined {
  const table = isError(error) ? Reflect.get(error, 'table') : undefined
  const named = migrations.findLast(({ sql }) => sql.split(/[^\w$]+/).includes(table))
  const migration = named ?? migrations.at(-1)
  return migration && { migration }
}

/** PostgreSQL counts characters where JavaScript counts UTF-16 units. */
function offsetOf(text: string, position: number): number {
  let offset = 0
  for (let left = position - 1; left > 0 && offset < text.length; left -= 1) {
    offset += present(text.codePointAt(offset)) > 0xffff ? 2 : 1
  }
  return offset
}

/** What is missing at the end of a file is noticed at the semicolon behind it. */
function holds({ sql }: Migration, start: number, offset: number | undefined): boolean {
  return offset !== undefined && offset >= start && offset < start + sql.length + END.length
}

function placeIn(migration: Migration, offset: number): Place {
  const { sql } = migration
  const found = splitStatements(sql).findLast(({ start }) => start <= offset)
  const statement = found && shortened(sql.slice(found.start, found.end))
  return { migration, line: lineAt(sql, offset), ...(statement && { statement }) }
}
