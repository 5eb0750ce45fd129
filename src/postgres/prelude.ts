import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import { SQL_STATE, sqlStateOf } from './sql-state.js'
import type { WireConnection } from './wire.js'

/** Settings that ride in the prelude, by name; each is local to the transaction. */
export type ScopeSettings = Readonly<Record<string, string>>

/** What is sent in front of a statement so that it answers for one schema and no other. */
export interface Prelude {
  readonly schema: SchemaName
  readonly path: string
  /** For the first statement of a scope on a client: refuses to run among temporary tables. */
  readonly guardedText: string
  readonly text: string
  /** The same for a whole session instead of one transaction. */
  readonly sessionText: string
  readonly values: readonly string[]
}

const PATH = `set_config('search_path', $1, true)`
const SCHEMA = `$2::regnamespace`
/** No name is empty: the cast then fails with `invalid_name`, and the statement is not run. */
const GUARDED_SCHEMA = `(case when pg_my_temp_schema() = 0 then $2 else '' end)::regnamespace`

/**
 * The prelude of a schema, with the text of its whole path.
 *
 * The settings are local to the transaction, so nothing is left to reset. The cast proves that the
 * schema exists: PostgreSQL itself ignores a missing schema in a path and would let the next one
 * answer. All values are bound; none is part of a text.
 *
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
 */
export function preludeOf(schema: SchemaName, path: string, settings: ScopeSettings = {}): Prelude {
  const entries = Object.entries(settings)
  const more = entries.map((_, index) => `, set_config($${2 * index + 3}, $${2 * index + 4}, true)`)
  const text = `select ${PATH}, ${SCHEMA}${more.join('')}`
  return {
    schema,
    path,
    text,
    sessionText: text.replaceAll(', true)', ', false)'),
    guardedText: `select ${PATH}, ${GUARDED_SCHEMA}${more.join('')}`,
    values: [path, quoteIdent(schema), ...entries.flat()],
  }
}

/**
 * Sends the prelude without a Sync, so that it shares the transaction of what follows.
 *
 * @param name The name under which the connection keeps it prepared, if it does.
 */
export function executePrelude(
  connection: WireConnection,
  text: string,
  { values, name }: { readonly values: readonly string[]; readonly name: string | undefined },
): void {
  if (name === undefined) connection.parse({ text })
  else if (connection.parsedStatements[name] === undefined) connection.parse({ text, name })
  connection.bind(name === undefined ? { values } : { statement: name, values })
  connection.execute({})
}

/** Sends a statement that takes no parameters, such as BEGIN, without a Sync. */
export function sendPlain(connection: WireConnection, text: string): void {
  connection.parse({ text })
  connection.bind({})
  connection.execute({})
}

/** Tells whether a prelude failed because of temporary tables that an earlier scope has hidden. */
export function isGuardError(error: unknown): boolean {
  return sqlStateOf(error) === SQL_STATE.invalidName
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
