import type { PoolClient } from 'pg'
import type { SchemaName } from '../../names/schema-name.js'
import { busy } from '../schema-lock.js'

/**
 * Refuses a snapshot that is older than a TRUNCATE or a rewrite of one of the tables, which the lock
 * has waited for: such a table would be read as empty. The rows of pg_class are those of the
 * snapshot, what the function says of the files is not.
 *
 * @param tables The names of tables that are locked, with their schema, for SQL text.
 * @throws `TENANT_BUSY`
 * @see https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
export async function requireSeen(
  client: PoolClient,
  schema: SchemaName,
  tables: readonly string[],
): Promise<void> {
  const { rows } = await client.query(
    `select from pg_catalog.unnest($1::pg_catalog.text[]) as given (name)
     cross join lateral (
       select given.name::pg_catalog.regclass as id
       union select relid from pg_catalog.pg_partition_tree(given.name::pg_catalog.regclass)
     ) each
     left join pg_catalog.pg_class c on c.oid = each.id
     where c.oid is null or c.relfilenode <> 0
       and c.relfilenode is distinct from pg_catalog.pg_relation_filenode(each.id)
     limit 1`,
    [tables],
  )
  if (rows.length > 0) throw busy(schema)
}
