import { type SchemaName, quoteIdent } from './schema-name.js'

/**
 * The text of a `search_path`: the schema, its extras, and `pg_temp` last.
 *
 * A path without `pg_temp` searches temporary tables first, so that one could stand in front of a
 * tenant's table.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
 */
export function searchPath(schema: SchemaName, extras: readonly SchemaName[]): string {
  const names = [schema, ...extras.filter((extra) => extra !== schema)]
  return [...names.map(quoteIdent), 'pg_temp'].join(', ')
}
