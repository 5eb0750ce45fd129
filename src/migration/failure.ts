import { type ErrorFacts, TenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import { sqlStateOf } from '../postgres/sql-state.js'
import type { Place } from './batch.js'

/** The server's one-based position of an error in the text that it was sent. */
export function positionOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('position' in error)) return undefined
  const position = Number(error.position)
  return Number.isInteger(position) && position > 0 ? position : undefined
}

/** The error for a migration that failed, as far as its place is known. */
export function migrationFailed(
  schema: SchemaName,
  error: unknown,
  place: Place | undefined,
): TenantryError {
  const reason = error instanceof Error ? error.message : String(error)
  const sqlState = sqlStateOf(error)
  return new TenantryError(
    'MIGRATION_FAILED',
    `${shown(place)} failed in schema "${schema}": ${reason}. The schema is as it was before; ` +
      'correct the migration or the data, and run the migrations again.',
    { schema, ...factsOf(place), ...(sqlState !== undefined && { sqlState }), cause: error },
  )
}

function shown(place: Place | undefined): string {
  if (place === undefined) return 'A migration'
  const { migration, line } = place
  return line === undefined ? migration.fileName : `${migration.fileName}, line ${line},`
}

function factsOf(place: Place | undefined): ErrorFacts {
  if (place === undefined) return {}
  const { migration, line, statement } = place
  const { fileName, file } = migration
  return {
    migration: fileName,
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(statement !== undefined && { statement }),
  }
}
