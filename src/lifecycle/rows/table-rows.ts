import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { CopyTable } from './copy-catalog.js'

/** The name of a table or sequence with its schema, for SQL text. */
export function qualifiedName(schema: SchemaName, name: string): string {
  return `${quoteIdent(schema)}.${quoteIdent(name)}`
}

/** What to write after FROM for the rows that are a table's own. */
export function rowsOf(
  schema: SchemaName,
  { name, partitioned }: Pick<CopyTable, 'name' | 'partitioned'>,
): string {
  return `${partitioned ? '' : 'only '}${qualifiedName(schema, name)}`
}
