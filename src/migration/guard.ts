import { TenantryError } from '../errors.js'
import { type SchemaName, quoteLiteral } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'
import type { Migration } from './source.js'

/** What a schema's migrations may touch besides their own schema. */
export interface GuardRules {
  /** Schemas in which they may change anything. */
  readonly allow: readonly string[]
  /** The shared schema, where they may touch the registry's tables. */
  readonly registry?: SchemaName
  /** Relations that the transaction had changed before them; see {@link heldRelations}. */
  readonly held?: readonly string[]
}

/** Something outside of the schema that a migration has changed. */
export interface Escape {
  readonly schema: string
  readonly object: string
  readonly what: string
}

/** What can bring something into the catalogs without a lock on a table: worth a look at them. */
const MAY_CREATE =
  /\b(function|procedure|routine|aggregate|operator|type|domain|schema|extension|collation|do|call|execute)\b/i

/**
 * The text that asks, before the commit, what the transaction has changed outside of its schema: the
 * backend's own locks, and catalog rows that were born in this transaction.
 *
 * Reading, row locks, sequences and foreign keys to another schema are no change. The catalogs have
 * no index by transaction, so they are read only if a migration's text makes that worthwhile.
 *
 * @see https://www.postgresql.org/docs/current/view-pg-locks.html
 */
export function guardText(
  schema: SchemaName,
  { allow, registry, held = [] }: GuardRules,
  migrations: readonly Migration[],
): string {
  const allowed = [schema, ...allow, 'pg_catalog', 'information_schema', 'pg_toast']
  const outside = `n.nspname not in (${allowed.map(quoteLiteral).join(', ')})
    and n.nspname not like 'pg\\_temp\\_%' and n.nspname not like 'pg\\_toast\\_temp\\_%'`
  const notRegistry =
    registry === undefined
      ? ''
      : `and not (n.nspname = ${quoteLiteral(registry)} and c.relname like 'tenantry\\_%')`
  const notHeld = held.length === 0 ? '' : `and c.oid not in (${held.map(quoteLiteral).join(', ')})`
  const home = quoteLiteral(schema)
  return [LOCKS, ...(mayCreate(migrations) ? BIRTHS : [])]
    .map((query) => query(outside, notRegistry + notHeld, home))
    .join(' union all ')
    .concat(' limit 20;')
}

/** Tells whether locks alone do not show everything that migrations may have made. */
export function mayCreate(migrations: readonly Migration[]): boolean {
  return migrations.some(({ sql, code }) => code !== undefined || MAY_CREATE.test(sql))
}

type Query = (outside: string, notRegistry: string, home: string) => string

/**
 * A transaction has a few locks, and a fleet has many tables: each lock's table is looked up by its
 * index, where the planner would read the catalog as a whole (`offset 0` keeps it from that).
 */
const LOCKS: Query = (outside, notRegistry, home) => `
  select n.nspname as schema, c.relname::text as object, 'holds ' || l.mode || ' on' as what
  from pg_catalog.pg_locks l
  cross join lateral (
    select * from pg_catalog.pg_class where oid = l.relation offset 0) c
  cross join lateral (
    select * from pg_catalog.pg_namespace where oid = c.relnamespace offset 0) n
  where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted
    and l.mode not in ('AccessShareLock', 'RowShareLock')
    and not (c.relkind = 'S' and l.mode = 'RowExclusiveLock')
    and ${outside} ${notRegistry}
    and not (l.mode = 'ShareRowExclusiveLock' and exists (
      select from pg_catalog.pg_constraint k join pg_catalog.pg_namespace kn on kn.oid = k.connamespace
      where k.contype = 'f' and k.confrelid = c.oid and kn.nspname = ${home}))`

/**
 * The relations that a transaction has changed already: a registry of the service's own, what its
 * triggers write to, and what a hook does are none of the migrations' doing.
 */
export async function heldRelations(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ held: readonly string[] }>(
    `select array(select relation::text from pg_catalog.pg_locks
       where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and relation >= 16384
         and mode not in ('AccessShareLock', 'RowShareLock')) as held`,
  )
  return rows[0]?.held ?? []
}

/** Rows of this transaction, and of its subtransactions, are the only ones in progress to be seen. */
const BORN = (row: string): string => `
  pg_catalog.age(${row}.xmin) <= pg_catalog.age(pg_catalog.pg_current_xact_id()::xid)
  and pg_catalog.pg_xact_status(((pg_catalog.pg_current_xact_id()::text::bigint >> 32 << 32)
    | ${row}.xmin::text::bigint)::text::xid8) = 'in progress'`

const BIRTHS: readonly Query[] = [
  (outside) => `
  select n.nspname, p.proname::text, 'makes the function' from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace where ${outside} and ${BORN('p')}`,
  (outside) => `
  select n.nspname, t.typname::text, 'makes the type' from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace where ${outside} and ${BORN('t')}`,
  (outside) => `
  select n.nspname, t.typname::text, 'changes the type' from pg_catalog.pg_enum e
  join pg_catalog.pg_type t on t.oid = e.enumtypid
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace where ${outside} and ${BORN('e')}`,
  (outside) => `
  select n.nspname, n.nspname::text, 'makes the schema' from pg_catalog.pg_namespace n
  where ${outside} and ${BORN('n')}`,
]

/** The error for migrations that have changed something outside of their schema. */
export function escaped(
  schema: SchemaName,
  escapes: readonly [Escape, ...Escape[]],
  migrations: readonly Migration[],
): TenantryError {
  const [first] = escapes
  const object = `${first.schema}.${first.object}`
  const named = migrations.filter(({ sql }) => sql.split(/[^\w$]+/).includes(first.object))
  const suspects = (named.length > 0 ? named : migrations).filter(({ id }) => id > 0)
  const files = suspects.map(({ fileName }) => fileName)
  const others = escapes.length > 1 ? ` and ${escapes.length - 1} more` : ''
  const [file] = suspects
  return new TenantryError(
    'MIGRATION_ESCAPED',
    `${files.join(', ')} left the schema "${schema}": it ${first.what} ${object}${others}. ` +
      'Everything was rolled back. Take the schema out of the names in the file, or allow it with ' +
      `guard: { allow: ['${first.schema}'] }.`,
    {
      schema,
      migration: files[0],
      file: file?.file,
      candidates: escapes.map((each) => `${each.schema}.${each.object}`),
    },
  )
}
