import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import type { CopyTable } from './copy-catalog.js'
import { rowsOf } from './table-rows.js'

/** How many tables one statement reads. */
const TABLES_PER_QUERY = 50

/**
 * An expression for what the rows of a table come to, whatever their order: their number, and the
 * sum of their hashes. The hash is one that `pg_upgrade` relies on to stay what it is.
 *
 * @see https://www.postgresql.org/docs/current/pgupgrade.html
 */
function sumText(schema: SchemaName, table: CopyTable): string {
  const columns = table.columns.map(({ name }) => quoteIdent(name)).join(', ')
  return `select count(*) || ' ' || coalesce(sum(
      hashtextextended(row(${columns})::text collate "C", 0)::numeric), 0)
    from ${rowsOf(schema, table)}`
}

/** What the rows of each table come to, such as `3 -77`; equal texts are equal rows. */
export async function rowSums(
  client: PoolClient,
  schema: SchemaName,
  tables: readonly CopyTable[],
): Promise<ReadonlyMap<string, string>> {
  const sums = new Map<string, string>()
  for (let from = 0; from < tables.length; from += TABLES_PER_QUERY) {
    const part = tables.slice(from, from + TABLES_PER_QUERY)
    const texts = part.map(
      (table) => `select ${quoteLiteral(table.name)} as name, (${sumText(schema, table)}) as sum`,
    )
    const { rows } = await client.query<{ name: string; sum: string }>(texts.join(' union all '))
    for (const { name, sum } of rows) sums.set(name, sum)
  }
  return sums
}
