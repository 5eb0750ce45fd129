import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import { SQL_STATE, sqlStateOf } from './sql-state.js'
import type { WireConnection } from './wire.js'

/** What is sent in front of a statement so that it answers for one schema and no other. */
export interface Prelude {
  readonly schema: SchemaName
  readonly values: readonly string[]
}

/**
 * The setting is local to the transaction, so nothing is left to reset. The cast proves that the
 * schema exists: PostgreSQL itself ignores a missing schema in a path and would let the next one
 * answer.
 */
const PRELUDE_TEXT = `select set_config('search_path', $1, true), $2::regnamespace`

/** The prelude of a schema, with the text of its whole path. */
export function preludeOf(schema: SchemaName, path: string): Prelude {
  return { schema, values: [path, quoteIdent(schema)] }
}

/** Sends the prelude without a Sync, so that it shares the transaction of what follows. */
export function executePrelude(connection: WireConnection, prelude: Prelude): void {
  connection.parse({ text: PRELUDE_TEXT })
  connection.bind({ values: prelude.values })
  connection.execute({})
}

/** Sends a statement that takes no parameters, such as BEGIN, without a Sync. */
export function sendPlain(connection: WireConnection, text: string): void {
  connection.parse({ text })
  connection.bind({})
  connection.execute({})
}

/** Says what the failure of a prelude means. */
export function explainPrelude(error: Error, prelude: Prelude): Error {
  if (sqlStateOf(error) !== SQL_STATE.invalidSchemaName) return error
  return new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${prelude.schema}" does not exist, so the statement was not run. ` +
      'Create the tenant again, restore its schema, or correct the registry.',
    { schema: prelude.schema, sqlState: SQL_STATE.invalidSchemaName, cause: error },
  )
}
