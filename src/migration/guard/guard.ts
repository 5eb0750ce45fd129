import { TenantryError } from '../../errors.js'
import { type SchemaName, quoteLiteral } from '../../names/schema-name.js'
import { yesIf } from '../../postgres/answer.js'
import type { Migration } from '../source.js'

/** What a schema's migrations may touch besides their own schema. */
export interface GuardRules {
  /** Schemas in which they may change anything. */
  readonly allow: readonly string[]
  /** The shared schema, where they may touch the registry's tables. */
  readonly registry?: SchemaName
  /**
   * Schemas in which other workers of the run may be at work; where there is no transaction to look
   * at, their changes cannot be told from those of a migration.
   */
  readonly others?: { readonly prefix: string; readonly names?: readonly string[] }
}

/** Something outside of the schema that a migration has changed. */
export interface Escape {
  readonly schema: string
  readonly object: string
  readonly what: string
}

/** Something outside of the schema as it stands before the commit. */
export interface Present extends Escape {
  /** `'yes'`: it is locked, but neither it nor a column of it was changed. */
  readonly untouched: string | null
}

/** What can bring something into the catalogs without a lock on a table: worth a look at them. */
const MAY_CREATE =
  /\b(function|procedure|routine|aggregate|operator|type|domain|schema|extension|collation|do|call|execute|grant|revoke)\b/i

/**
 * The text that asks, before the commit, what the transaction has changed outside of its schema: the
 * backend's own locks, and catalog rows that were born in this transaction.
 *
 * Reading, row locks, sequences and foreign keys to another schema are no change, and neither is what
 * was locked before the migrations began. The catalogs have no index by transaction, so each is read
 * only if a migration's text makes that worthwhile and the transaction has written to it.
 *
 * @see https://www.postgresql.org/docs/current/view-pg-locks.html
 */
export function guardText(
  schema: SchemaName,
  rules: GuardRules,
  migrations: readonly Migration[],
): string {
  const place = placeOf(schema, rules)
  const may = (words: RegExp): boolean =>
    migrations.some(({ sql, code }) => code !== undefined || words.test(sql))
  const queries = [
    LOCKS,
    ...(mayCreate(migrations) ? BIRTHS : []),
    ...(may(/\bdomain\b/i) ? [CHECKS] : []),
    // Rights on a table are changed without a lock on it.
    ...(may(/\b(grant|revoke)\b/i) ? [GRANTS] : []),
  ]
  return `${queries.map((query) => query(place)).join(' union all ')} limit 20;`
}

/** What of the catalogs is outside, as conditions on the aliases `n` of a schema and `c` of a table. */
export interface Outside {
  readonly outside: string
  readonly notRegistry: string
  /** The schema itself, as a literal. */
  readonly home: string
}

/** Where a schema ends for its guard. */
export function placeOf(schema: SchemaName, { allow, registry }: GuardRules): Outside {
  const allowed = [schema, ...allow, 'pg_catalog', 'information_schema', 'pg_toast']
  return {
    outside: `n.nspname not in (${allowed.map(quoteLiteral).join(', ')})
      and n.nspname not like 'pg\\_temp\\_%' and n.nspname not like 'pg\\_toast\\_temp\\_%'`,
    notRegistry:
      registry === undefined
        ? ''
        : `and not (n.nspname = ${quoteLiteral(registry)} and c.relname like 'tenantry\\_%')`,
    home: quoteLiteral(schema),
  }
}

/**
 * Whether a table of the schema refers to the table `c` of another one. A table's triggers have an
 * index, and those of foreign keys name the table that refers.
 */
export const refersTo = (home: string): string => `exists (
  select from pg_catalog.pg_trigger t
  join pg_catalog.pg_class h on h.oid = t.tgconstrrelid
  join pg_catalog.pg_namespace hn on hn.oid = h.relnamespace
  where t.tgrelid = c.oid and hn.nspname = ${home})`

/** Tells whether locks alone do not show everything that migrations may have made. */
export function mayCreate(migrations: readonly Migration[]): boolean {
  return migrations.some(({ sql, code }) => code !== undefined || MAY_CREATE.test(sql))
}

type Query = (place: Outside) => string

/** Rows of this transaction, and of its subtransactions, are the only ones in progress to be seen. */
const BORN = (row: string): string => `
  pg_catalog.age(${row}.xmin) <= pg_catalog.age(pg_catalog.pg_current_xact_id()::xid)
  and pg_catalog.pg_xact_status(((pg_catalog.pg_current_xact_id()::text::bigint >> 32 << 32)
    | ${row}.xmin::text::bigint)::text::xid8) = 'in progress'`

/** A setting that remembers what was locked before the migrations began. */
const HELD = 'tenantry.held'

/** The text that notes what the caller's transaction has locked already; that is its own business. */
export const NOTE_HELD: string = `select pg_catalog.set_config('${HELD}', coalesce((
  select pg_catalog.string_agg(relation || mode, ' ') from pg_catalog.pg_locks
  where pid = pg_catalog.pg_backend_pid() and locktype = 'relation'), ''), true)`
/** A condition on the columns of `pg_locks`: it was not locked before. */
export const NOT_HELD: string = `relation || mode <> all (
  pg_catalog.string_to_array(coalesce(pg_catalog.current_setting('${HELD}', true), ''), ' '))`

/**
 * A transaction has a few locks, and a fleet has many tables: each lock's table is looked up by its
 * index, where the planner would read the catalog as a whole (`offset 0` keeps it from that).
 */
const LOCKS: Query = ({ outside, notRegistry, home }) => `
  select n.nspname as schema, c.relname::text as object, 'holds ' || l.mode || ' on' as what,
    ${yesIf(`not (${BORN('c')}) and not exists (
      select from pg_catalog.pg_attribute a where a.attrelid = c.oid and ${BORN('a')})`)} as untouched
  from pg_catalog.pg_locks l
  cross join lateral (
    select *, xmin from pg_catalog.pg_class where oid = l.relation offset 0) c
  cross join lateral (
    select * from pg_catalog.pg_namespace where oid = c.relnamespace offset 0) n
  where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted
    and l.mode not in ('AccessShareLock', 'RowShareLock')
    and not (c.relkind = 'S' and l.mode = 'RowExclusiveLock')
    and ${outside} ${notRegistry} and ${NOT_HELD}
    and not (l.mode = 'ShareRowExclusiveLock' and ${refersTo(home)} and not exists (
      select from pg_catalog.pg_trigger u
      where u.tgrelid = c.oid and not u.tgisinternal and ${BORN('u')}
      union all
      select from pg_catalog.pg_constraint k where k.conrelid = c.oid and ${BORN('k')}))`

/**
 * The counts of the connection may have what a transaction before it wrote, so they are no proof; but
 * a catalog that they do not know was not written to.
 */
const WRITTEN = (catalog: string): string => `(
  select pg_catalog.current_setting('track_counts') = 'off'
    or pg_catalog.pg_stat_get_xact_tuples_inserted('pg_catalog.${catalog}'::regclass)
      + pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.${catalog}'::regclass) > 0)`

const BIRTHS: readonly Query[] = [
  ({ outside }) => `
  select n.nspname, p.proname::text, 'makes or changes the function', null
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where ${WRITTEN('pg_proc')} and ${outside} and ${BORN('p')}`,
  ({ outside }) => `
  select n.nspname, t.typname::text, 'makes or changes the type', null
  from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where ${WRITTEN('pg_type')} and ${outside} and ${BORN('t')}`,
  ({ outside }) => `
  select n.nspname, t.typname::text, 'changes the type', null from pg_catalog.pg_enum e
  join pg_catalog.pg_type t on t.oid = e.enumtypid
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where ${WRITTEN('pg_enum')} and ${outside} and ${BORN('e')}`,
  ({ outside }) => `
  select n.nspname, n.nspname::text, 'makes or changes the schema', null
  from pg_catalog.pg_namespace n where ${WRITTEN('pg_namespace')} and ${outside} and ${BORN('n')}`,
]

/** A check of a domain leaves no trace on the domain itself. */
const CHECKS: Query = ({ outside }) => `
  select n.nspname, t.typname::text, 'changes the domain', null from pg_catalog.pg_type t
  join pg_catalog.pg_constraint k on k.contypid = t.oid
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where ${WRITTEN('pg_constraint')} and t.typtype = 'd' and ${outside} and ${BORN('k')}`

/** What has no rights of its own has a null there. */
const GRANTS: Query = ({ outside, notRegistry }) => `
  select n.nspname, c.relname::text, 'changes the rights on', null from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where ${WRITTEN('pg_class')} and c.relacl is not null and ${outside} ${notRegistry}
    and ${BORN('c')}`

function names({ object }: Escape): (migration: Migration) => boolean {
  return ({ sql }) => sql.split(/[^\w$]+/).includes(object)
}

/** The error for migrations that have changed something outside of their schema. */
export function escaped(
  schema: SchemaName,
  escapes: readonly [Escape, ...Escape[]],
  migrations: readonly Migration[],
): TenantryError {
  // What goes with an object, its indexes say, is named by no file.
  const first = escapes.find((each) => migrations.some(names(each))) ?? escapes[0]
  const object = `${first.schema}.${first.object}`
  const named = migrations.filter(names(first))
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
