import type { PoolClient } from 'pg'
import { describeSchemas } from '../../migration/verify/describe.js'
import { type SchemaName, quoteIdent, unquoteIdent } from '../../names/schema-name.js'
import { openTransaction } from '../../postgres/open-transaction.js'
import { present } from '../../support/present.js'
import { setLocalPath } from '../../postgres/local-path.js'

/** A schema before and after its name was changed. */
export interface Renaming {
  readonly from: SchemaName
  readonly to: SchemaName
}

/** Where a schema's former name stands in a text, for example `function tenant_a.total()`. */
export type NamedPlace = string

interface RoutineRow {
  readonly routine: string
  readonly path: string
}

/**
 * Lets the routines of a schema whose `SET search_path` clause has the former name search the schema
 * under its new name.
 */
export async function repairRoutinePaths(client: PoolClient, renaming: Renaming): Promise<void> {
  await client.query('set local search_path = pg_catalog')
  const { rows } = await client.query<RoutineRow>(
    `select p.oid::regprocedure::text as routine, substr(c, length('search_path=') + 1) as path
     from pg_proc p, unnest(p.proconfig) c
     where p.pronamespace = to_regnamespace($1) and c like 'search_path=%'
       and position($2 in c) > 0`,
    [quoteIdent(renaming.to), renaming.from],
  )
  for (const { routine, path } of rows) {
    const next = renamedInPath(path, renaming)
    if (next === path) continue
    await setLocalPath(client, next)
    await client.query(`alter routine ${routine} set search_path from current`)
  }
  await client.query('set local search_path = pg_catalog')
}

/** The text of a `search_path` in which a schema is called by another name. */
function renamedInPath(path: string, { from, to }: Renaming): string {
  return path.replaceAll(/"(?:[^"]|"")*"|[^\s,"]+/g, (name) =>
    unquoteIdent(name) === from ? quoteIdent(to) : name,
  )
}

/**
 * Finds the former name of a schema after it was renamed, in the same transaction.
 *
 * What refers to the schema shows the new name by then, so whatever still shows the former one has
 * it in a text, which PostgreSQL does not rewrite: bodies of functions, literals in defaults, views
 * and triggers, comments. Outside of the schema, routines and settings of roles are looked at.
 *
 * @see https://www.postgresql.org/docs/current/sql-alterschema.html
 */
export async function placesOfFormerName(
  client: PoolClient,
  { from, to }: Renaming,
): Promise<readonly NamedPlace[]> {
  const inside = await placesInside(client, { from, to })
  const { rows } = await client.query<{ place: string; text: string }>(OUTSIDE, [
    quoteIdent(to),
    from,
  ])
  const outside = rows.filter(({ text }) => mentions(text, from)).map(({ place }) => place)
  return [...inside, ...outside].toSorted()
}

/** {@link placesOfFormerName} in the schema itself. */
export async function placesInside(
  client: PoolClient,
  { from, to }: Renaming,
): Promise<readonly NamedPlace[]> {
  const items = present((await describeSchemas(openTransaction(client), [to])).get(to))
  return items
    .filter(({ detail }) => mentions(detail, from))
    .map(({ kind, name }) => `${kind} ${name}`)
    .toSorted()
}

/** Tells whether a text has a schema's name in it, and not as a part of a longer name. */
function mentions(text: string, schema: SchemaName): boolean {
  // A name has nothing in it that a regular expression takes for more than itself.
  return new RegExp(`(?<![\\w$-])${schema}(?![\\w$-])`).test(text)
}

const OUTSIDE = `
  select case p.prokind when 'p' then 'procedure ' else 'function ' end
      || p.oid::regprocedure::text as place,
    p.prosrc || coalesce(array_to_string(p.proconfig, ' '), '') as text
  from pg_catalog.pg_proc p
  where (p.pronamespace is distinct from to_regnamespace($1) or exists (
      select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass
        and d.objid = p.oid and d.deptype = 'e'))
    and p.pronamespace <> 'pg_catalog'::regnamespace
    and (position($2 in p.prosrc) > 0 or position($2 in array_to_string(p.proconfig, ' ')) > 0)
  union all
  select 'comment on schema ' || $1, obj_description(to_regnamespace($1), 'pg_namespace')
  where position($2 in obj_description(to_regnamespace($1), 'pg_namespace')) > 0
  union all
  select 'settings of ' || case when s.setrole = 0 then 'the database'
      else 'role ' || s.setrole::regrole::text end, array_to_string(s.setconfig, ' ')
  from pg_catalog.pg_db_role_setting s
  where position($2 in array_to_string(s.setconfig, ' ')) > 0
    and s.setdatabase in (0, (select oid from pg_catalog.pg_database
      where datname = current_database()))`
