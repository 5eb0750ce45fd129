import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import { NOT_HELD } from './guard.js'

/** The column of a glance's row, or what its error begins with. */
export const OUTSIDE = 'tenantry_outside'

/** What a glance says of something that is gone, or going: it may have been anywhere. */
export const VANISHED = 'vanished'

/**
 * Locks that change something, on relations that are not found by their bare name while the path is
 * the schema alone: {@link VANISHED} for what is not found at all, else the name. Below 16384 are the
 * system's own. Of what is not a table, a change or a drop leaves a lock on the object itself.
 *
 * It is one pass over the locks, and asks no catalog by a join: planning those takes longer than
 * looking at them.
 *
 * @see https://www.postgresql.org/docs/current/datatype-oid.html
 * @see https://www.postgresql.org/docs/current/functions-info.html
 */
function distant(condition: string): string {
  return `from (select case when locktype = 'object' or seen is null then '${VANISHED}'
      else relation::pg_catalog.regclass::text end as name
    from (select locktype, relation, mode,
        case locktype when 'relation' then pg_catalog.pg_table_is_visible(relation) end as seen
      from pg_catalog.pg_locks
      where pid = pg_catalog.pg_backend_pid() and mode not in ('AccessShareLock', 'RowShareLock')
        and (locktype = 'relation' and relation >= 16384
          or locktype = 'object' and classid in (${OBJECTS}))
      offset 0) locked
    where seen is not true${condition}) named
  where name not like 'pg\\_toast.%'`
}

const OBJECTS = ['proc', 'type', 'namespace', 'collation', 'operator']
  .map((name) => `'pg_catalog.pg_${name}'::pg_catalog.regclass`)
  .join(', ')

/**
 * The text that sees at a glance whether a transaction may have changed something outside of its
 * schema; it changes the path. Its row is {@link VANISHED} where something is gone, another text
 * where it is worth asking the guard, and null where all is well.
 */
export function glanceText(schema: SchemaName): string {
  const unheld = ` and (locktype = 'object' or ${NOT_HELD})`
  return `${alone(schema)} select case when pg_catalog.bool_or(name = '${VANISHED}') then '${VANISHED}'
    else pg_catalog.min(name) end as ${OUTSIDE} ${distant(unheld)};`
}

/** The same for a text that ends in COMMIT: it fails where a glance would see something. */
export function glanceOrFailText(schema: SchemaName): string {
  const names = `select pg_catalog.string_agg(name, ' ') ${distant('')}`
  return `${alone(schema)} select coalesce('${OUTSIDE} ' || (${names}), '1')::int;`
}

function alone(schema: SchemaName): string {
  return `set local search_path to ${quoteIdent(schema)};`
}
