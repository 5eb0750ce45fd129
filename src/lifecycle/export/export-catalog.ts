import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'

/** A table that is exported, with the rows of its partitions. */
export interface ExportTable {
  readonly name: string
  readonly partitioned: boolean
  readonly columns: readonly ExportColumn[]
}

/** A column, in the order of the values. */
export interface ExportColumn {
  readonly name: string
  /** As SQL says it, such as `numeric(12,2)`. */
  readonly type: string
  /** The server computes it. */
  readonly generated: boolean
}

/**
 * The tables of a schema, in the order of their names. The path is to be the tenant's, by which the
 * names of types are short; so all else is named in full.
 */
export async function readExportTables(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly ExportTable[]> {
  const { rows } = await client.query<{ json: string }>(TABLES, [quoteIdent(schema)])
  return rows.map(({ json }) => JSON.parse(json))
}

/** A partition is part of its table, unless that is in another schema. */
const TABLES = `
  select pg_catalog.json_build_object('name', c.relname, 'partitioned', c.relkind = 'p',
    'columns', coalesce((
      select pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname,
          'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
          'generated', a.attgenerated <> '') order by a.attnum)
      from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'))::text as json
  from pg_catalog.pg_class c
  where c.relnamespace = pg_catalog.to_regnamespace($1) and c.relkind in ('r', 'p')
    and not exists (
      select from pg_catalog.pg_partition_ancestors(c.oid) up
      join pg_catalog.pg_class above on above.oid = up.relid
      where above.oid <> c.oid and above.relnamespace = c.relnamespace)
  order by c.relname`
