import type { SchemaName } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { type Escape, type GuardRules, NOT_HELD, type Present, placeOf, refersTo } from './guard.js'

/** Something outside of the schema as it stood before the migrations, that they have locked. */
export interface Former extends Escape {
  /** A table of the schema referred to it. */
  readonly referred: boolean
}

const CURSOR = 'tenantry_before'

/** The column that only the rows of {@link READ_BEFORE} have. */
export const REFERRED = 'tenantry_referred'

/**
 * The text that opens a cursor before the migrations: when it is read, it shows the locks of that
 * moment, and the catalogs as they were when it was opened. A table that was dropped has left a lock
 * and no row, so nothing else tells what it was and in which schema.
 *
 * @see https://www.postgresql.org/docs/current/sql-declare.html
 */
export function openBefore(schema: SchemaName, rules: GuardRules): string {
  const { outside, notRegistry, home } = placeOf(schema, rules)
  const ways = [
    `select n.nspname as schema, c.relname::text as object, 'drops or moves' as what,
      ${yesIf(refersTo(home))} as ${REFERRED}
    from locked l cross join lateral (
      select * from pg_catalog.pg_class where oid = l.relation offset 0) c
    cross join lateral (
      select * from pg_catalog.pg_namespace where oid = c.relnamespace offset 0) n
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and ${outside} ${notRegistry}`,
    ...OBJECTS.map(
      ({ catalog, prefix, word, own, but = 'true' }) => `
    select n.nspname, o.${prefix}name::text, 'drops or changes the ${word}', null
    from locked l cross join lateral (
      select * from pg_catalog.${catalog} where oid = l.objid offset 0) o
    cross join lateral (
      select * from pg_catalog.pg_namespace
      where oid = ${own ? 'o.oid' : `o.${prefix}namespace`} offset 0) n
    where l.locktype = 'object' and l.classid = 'pg_catalog.${catalog}'::regclass and ${but}
      and ${outside}`,
    ),
  ]
  return `declare ${CURSOR} no scroll cursor for with locked as materialized (
    select * from pg_catalog.pg_locks where pid = pg_catalog.pg_backend_pid() and granted
      and locktype in ('relation', 'object') and mode not in ('AccessShareLock', 'RowShareLock')
      and (locktype = 'object' or ${NOT_HELD}))
    ${ways.join(' union all ')};\n`
}

/** The text that reads the cursor, each row with what is locked outside of the schema. */
export const READ_BEFORE: string = `fetch all from ${CURSOR}; close ${CURSOR};`

interface ObjectCatalog {
  readonly catalog: string
  /** What its columns begin with. */
  readonly prefix: string
  readonly word: string
  /** Which rows of it count. */
  readonly but?: string
  /** A schema is in no other one. */
  readonly own?: true
}

/** What can be dropped without a lock on a table, and leaves one on itself. */
const OBJECTS: readonly ObjectCatalog[] = [
  { catalog: 'pg_proc', prefix: 'pro', word: 'function' },
  // Arrays come and go with their elements.
  { catalog: 'pg_type', prefix: 'typ', word: 'type', but: `o.typcategory <> 'A'` },
  { catalog: 'pg_namespace', prefix: 'nsp', word: 'schema', own: true },
  { catalog: 'pg_collation', prefix: 'coll', word: 'collation' },
  { catalog: 'pg_operator', prefix: 'opr', word: 'operator' },
]

/**
 * What has escaped, of what is outside now and what was there before.
 *
 * To drop a foreign key locks the table that it refers to as a change of that table would; where
 * nothing of that table was changed, that is no escape.
 */
export function escapesOf(now: readonly Present[], before: readonly Former[]): readonly Escape[] {
  const referred = new Set(before.filter((each) => each.referred).map(nameOf))
  const left = now.filter((each) => !(isYes(each.untouched) && referred.has(nameOf(each))))
  const known = new Set(now.map(nameOf))
  const escapes = new Map<string, Escape>(left.map((each) => [nameOf(each), each]))
  for (const each of before) {
    const name = nameOf(each)
    if (!known.has(name) && !escapes.has(name)) escapes.set(name, each)
  }
  return [...escapes.values()]
}

function nameOf({ schema, object }: Escape): string {
  return JSON.stringify([schema, object])
}
