import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { qualifiedName } from './table-rows.js'

/** The materialized views of a schema that hold rows. */
export async function filledViews(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname::text as name from pg_catalog.pg_class
     where relnamespace = to_regnamespace($1) and relkind = 'm' and relispopulated order by oid`,
    [quoteIdent(schema)],
  )
  return rows.map(({ name }) => name)
}

/** Fills the materialized views of a schema, in an order that they allow, or empties them. */
export async function refreshViews(
  client: PoolClient,
  schema: SchemaName,
  { views, filled }: { readonly views: readonly string[]; readonly filled: readonly string[] },
): Promise<void> {
  for (const name of views) {
    const data = filled.includes(name) ? 'with data' : 'with no data'
    await client.query(`refresh materialized view ${qualifiedName(schema, name)} ${data}`)
  }
}
