import { nameInvalid } from './name-error.js'

declare const schemaName: unique symbol

/** The name of a PostgreSQL schema that was checked by `parseSchemaName`. */
export type SchemaName = string & { readonly [schemaName]: true }

/** PostgreSQL cuts longer identifiers off silently, so that two names could become one. */
export const MAX_IDENTIFIER_BYTES = 63

const RULE =
  'use 1 to 63 of a-z, 0-9, _ and -, begin with a letter or _, and avoid pg_ and information_schema'
const PREFIX_RULE = 'use 1 to 62 of a-z, 0-9, _ and -, begin with a letter or _, and avoid pg_'
const PATTERN = /^[a-z_][a-z0-9_-]*$/

/**
 * Checks the name of a schema and brands it.
 *
 * Upper case is refused because poolers compare settings without regard to case: `Ta` and `TA`
 * would share a path behind PgBouncer's `track_extra_parameters`.
 *
 * @throws `NAME_INVALID`
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function parseSchemaName(input: unknown): SchemaName {
  if (isSchemaName(input)) return input
  throw nameInvalid('schema name', input, RULE)
}

/** Tells whether a text obeys the rule of schema names. */
export function isSchemaName(input: unknown): input is SchemaName {
  return (
    typeof input === 'string' &&
    input.length <= MAX_IDENTIFIER_BYTES &&
    PATTERN.test(input) &&
    !input.startsWith('pg_') &&
    input !== 'information_schema'
  )
}

/**
 * Checks what the tenants' schemas begin with; a slug of one letter must fit behind it.
 *
 * @throws `NAME_INVALID`, also for an empty one: it keeps the tenants apart from other schemas.
 */
export function parsePrefix(input: unknown): string {
  if (typeof input === 'string' && input !== '' && isSchemaName(`${input}a`)) return input
  throw nameInvalid('prefix of schema names', input, PREFIX_RULE)
}

/** Quotes an identifier for SQL text. */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The name that an identifier of an SQL text means: without quotation marks, PostgreSQL folds it. */
export function unquoteIdent(text: string): string {
  if (!text.startsWith('"')) return text.toLowerCase()
  return text.slice(1, -1).replaceAll('""', '"')
}

/** Quotes a string as an SQL literal, for the few statements that take no parameters. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
