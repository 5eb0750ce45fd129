import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { NOT_HELD } from './guard.js'

/** The column of a glance's row, or what its error begins with. */
export const OUTSIDE = 'tenantry_outside'

/** What a glance says of something that is gone, or going: it may have been anywhere. */
export const VANISHED = 'vanished'

const OBJECTS = ['proc', 'type', 'namespace', 'collation', 'operator']
  .map((name) => `'pg_catalog.pg_${name}'::pg_catalog.regclass`)
  .join(', ')

/**
 * Locks that change something, on relations that are not found by their bare name while the path is
 * the schema alone; what is not found at all is gone. Below 16384 are the system's own. Of what is no
 * table, a change or a drop leaves a lock on the object itself.
 *
 * It is one pass over the locks, without a join and without a subquery: to plan those takes far longer
 * than to look at the few locks of a small migration.
 *
 * @see https://www.postgresql.org/docs/current/datatype-oid.html
 * @see https://www.postgresql.org/docs/current/functions-info.html
 */
const DISTANT = `from pg_catalog.pg_locks where pid = pg_catalog.pg_backend_pid()
  and mode not in ('AccessShareLock', 'RowShareLock') and case locktype
    when 'relation' then relation >= 16384 and pg_catalog.pg_table_is_visible(relation) is not true
      and relation::pg_catalog.regclass::text not like 'pg\\_toast.%'
    when 'object' then classid in (${OBJECTS}) end`

const GONE = `locktype = 'object' or pg_catalog.pg_table_is_visible(relation) is null`
const NAME = `pg_catalog.min(relation::pg_catalog.regclass::text)`

/**
 * The text that sees at a glance whether a transaction may have changed something outside of its
 * schema; it changes the path. Its row is {@link VANISHED} where something is gone, another text
 * where it is worth asking the guard, and null where all is well.
 */
export function glanceText(schema: SchemaName): string {
  return `${alone(schema)} select case when pg_catalog.bool_or(${GONE}) then '${VANISHED}'
    else ${NAME} end as ${OUTSIDE} ${DISTANT} and (locktype = 'object' or ${NOT_HELD});`
}

/** The same for a text that ends in COMMIT: it fails where a glance would see something. */
export function glanceOrFailText(schema: SchemaName): string {
  const found = `pg_catalog.concat('${OUTSIDE} ', ${NAME})`
  return `${alone(schema)}
    select case when pg_catalog.count(*) > 0 then ${found} else '1' end::int ${DISTANT};`
}

function alone(schema: SchemaName): string {
  return `set local search_path to ${quoteIdent(schema)};`
}
