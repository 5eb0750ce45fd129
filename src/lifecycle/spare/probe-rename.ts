import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { placesOfFormerName, repairRoutinePaths } from '../rename/name-in-text.js'
import { spareUnsafe } from './spare-set.js'

/** A spare, and a name that nobody has. */
export interface Probe {
  readonly schema: SchemaName
  readonly to: SchemaName
}

/** What has to be done when the spare is renamed. */
export interface Renamable {
  /** Whether routines of the schema have its name in their `SET search_path` clauses. */
  readonly namesItself: boolean
}

/**
 * Finds out whether a schema can be renamed and be right under its new name: renames it, looks for
 * the former name in definitions and in rows, and takes the rename back.
 *
 * @throws `SPARE_UNSAFE` with the places in `candidates`
 */
export async function probeRename(client: PoolClient, { schema, to }: Probe): Promise<Renamable> {
  const namesItself = await hasNamedPaths(client, schema)
  await client.query(
    `savepoint probe; alter schema ${quoteIdent(schema)} rename to ${quoteIdent(to)}`,
  )
  if (namesItself) await repairRoutinePaths(client, { from: schema, to })
  const places = [
    ...(await placesOfFormerName(client, { from: schema, to })),
    ...(await rowsWithName(client, { schema, to })),
  ]
  await client.query('rollback to savepoint probe; release savepoint probe')
  if (places.length === 0) return { namesItself }
  const neutral = places.map((place) => place.replaceAll(to, '<schema>'))
  throw spareUnsafe(
    neutral,
    'the name of the schema is in a text there, which PostgreSQL does not rewrite when a schema is ' +
      'renamed. Take it out by a migration',
  )
}

async function hasNamedPaths(client: PoolClient, schema: SchemaName): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_catalog.pg_proc p where p.pronamespace = to_regnamespace($1)
       and position($2 in array_to_string(p.proconfig, ' ')) > 0 limit 1`,
    [quoteIdent(schema), schema],
  )
  return rows.length > 0
}

/** Migrations may have written the schema's name into its tables, for example as `current_schema()`. */
async function rowsWithName(
  client: PoolClient,
  { schema: former, to }: Probe,
): Promise<readonly string[]> {
  const { rows: tables } = await client.query<{ name: string; shown: string }>(
    `select c.oid::regclass::text as name, c.relname::text as shown from pg_catalog.pg_class c
     where c.relnamespace = to_regnamespace($1) and not row_security_active(c.oid)
       and (c.relkind = 'r' or c.relkind = 'm' and c.relispopulated)`,
    [quoteIdent(to)],
  )
  if (tables.length === 0) return []
  const looks = tables.map(
    ({ name, shown }) => `select ${quoteLiteral(`rows of table ${shown}`)} as place
      where exists (select from ${name} t where position($1 in t::text) > 0)`,
  )
  const { rows } = await client.query<{ place: string }>(looks.join(' union all '), [former])
  return rows.map(({ place }) => place)
}
