import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import { NOT_HELD } from './guard.js'

/** The row of a glance, or what its error begins with. */
export const OUTSIDE = 'tenantry_outside'

/**
 * Locks that change something, on relations that are not found by their bare name while the path is
 * the schema alone: PostgreSQL writes those with their schema in front. One that was dropped, which
 * may have been anywhere, is written as its number. Below 16384 are the system's own. Planning this
 * takes a third of what the joins of the whole {@link guardText} take.
 *
 * @see https://www.postgresql.org/docs/current/datatype-oid.html
 */
const NAMED = `select relation::pg_catalog.regclass::text as name from pg_catalog.pg_locks
  where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and relation >= 16384
    and mode not in ('AccessShareLock', 'RowShareLock')`
const DISTANT = `from (${NAMED} and ${NOT_HELD}) locked where name like '%.%' and name not like 'pg\\_toast.%'`
const DISTANT_OR_GONE = `from (${NAMED}) locked
  where name like '%.%' and name not like 'pg\\_toast.%' or name ~ '^[0-9]'`

/**
 * The text that sees at a glance whether a transaction may have changed something outside of its
 * schema. A row says that it is worth asking the guard; it changes the path.
 */
export function glanceText(schema: SchemaName): string {
  return `${alone(schema)} select name as ${OUTSIDE} ${DISTANT} limit 1;`
}

/**
 * The same for a text that ends in COMMIT: it fails where a glance would have a row, and where
 * something was dropped.
 */
export function glanceOrFailText(schema: SchemaName): string {
  const names = `select pg_catalog.string_agg(name, ' ') ${DISTANT_OR_GONE}`
  return `${alone(schema)} select coalesce('${OUTSIDE} ' || (${names}), '1')::int;`
}

function alone(schema: SchemaName): string {
  return `set local search_path to ${quoteIdent(schema)};`
}
