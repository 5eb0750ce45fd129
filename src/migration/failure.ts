import { type ErrorFacts, TenantryError } from '../errors.js'
import type { SchemaName } from '../names/schema-name.js'
import { sqlStateOf } from '../postgres/sql-state.js'
import type { Place } from './unit/batch.js'
import { isReverse } from './step.js'
import { reasonOf } from '../support/is-error.js'

/** The server's one-based position of an error in the text that it was sent. */
export function positionOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('position' in error)) return undefined
  const position = Number(error.position)
  return Number.isInteger(position) && position > 0 ? position : undefined
}

/** What is known of a failure besides the error. */
export interface FailureFacts {
  readonly place: Place | undefined
  /** File names of what was committed before in the same schema. */
  readonly kept?: readonly string[] | undefined
  /** What failed is checked at the end of the transaction only. */
  readonly atEnd?: boolean
  /** It ran outside of a transaction. */
  readonly alone?: boolean
  /** Qualified names of the indexes in the schema that were not completed. */
  readonly invalid?: readonly string[]
}

/** The error for a migration that failed, as far as its place is known. */
export function migrationFailed(
  schema: SchemaName,
  error: unknown,
  facts: FailureFacts,
): TenantryError {
  const reason = reasonOf(error)
  const sqlState = sqlStateOf(error)
  return new TenantryError(
    'MIGRATION_FAILED',
    `${shown(facts.place)} failed in schema "${schema}": ${reason}${when(facts)}. ${remaining(facts)}; ` +
      `correct the migration or the data, and run the migrations again.${advice(facts)}`,
    {
      schema,
      ...factsOf(facts.place),
      ...(sqlState !== undefined && { sqlState }),
      ...(facts.invalid?.length && { candidates: facts.invalid }),
      cause: error,
    },
  )
}

function when({ atEnd }: FailureFacts): string {
  return atEnd ? ', as was found at the end of its transaction, when all had run' : ''
}

function remaining({ alone, kept = [] }: FailureFacts): string {
  const done = kept.length > 0 ? `${kept.join(', ')} stays done` : ''
  if (alone) {
    const own = 'It ran outside of a transaction, so its earlier statements stay done'
    return done === '' ? own : `${own}, and ${done}`
  }
  return done === '' ? 'The schema is as it was before' : `The rest was taken back, ${done}`
}

function advice({ invalid = [] }: FailureFacts): string {
  if (invalid.length === 0) return ''
  const drops = invalid.map((name) => `drop index concurrently ${name};`)
  return ` Before that, drop what is left of an index: ${drops.join(' ')}`
}

function shown(place: Place | undefined): string {
  if (place === undefined) return 'A migration'
  const { migration, line } = place
  const { fileName } = migration
  const name = isReverse(migration) ? `The reverse of ${fileName}` : fileName
  return line === undefined ? name : `${name}, line ${line},`
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
