import type { Migration } from './source.js'

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
  /** What stands there, shortened. */
  readonly statement?: string
}

/** The column of the marker row that each migration of a batch begins with. */
export const STEP_COLUMN = 'tenantry_step'

/**
 * Joins migrations into one text, so that a schema is migrated in one round trip.
 *
 * Before each migration a marker row is selected: an error without a position, such as a violated
 * constraint, is then put down to the migration whose marker came last.
 */
export function batchOf(migrations: readonly Migration[]): MigrationBatch {
  let text = ''
  const parts = migrations.map((migration) => {
    text += `select ${migration.id} as ${STEP_COLUMN};\n`
    const part = { migration, start: text.length }
    // A file may end in a comment or without its semicolon.
    text += `${migration.sql}\n;\n`
    return part
  })
  return { text, parts }
}

/**
 * The place of an error in its file.
 *
 * @param position The server's one-based position in the text, counted in characters.
 * @param step The id of the migration whose marker came last.
 */
export function placeOf(
  batch: MigrationBatch,
  position: number | undefined,
  step: number | undefined,
): Place | undefined {
  const part = batch.parts.find(({ migration }) => migration.id === step)
  if (part === undefined) return undefined
  const { migration, start } = part
  if (position === undefined) return { migration }
  // PostgreSQL counts characters where JavaScript counts UTF-16 units.
  const offset = [...batch.text].slice(0, position - 1).join('').length - start
  if (offset < 0 || offset > migration.sql.length) return { migration }
  const line = migration.sql.slice(0, offset).split('\n').length
  const statement = migration.sql.split('\n')[line - 1]?.trim().slice(0, 500)
  return { migration, line, ...(statement && { statement }) }
}
