import type { Pool } from 'pg'
import { SchemaRouter, select } from 'tenantry'

/** A tenant of the storm: its slug, and the schema that every row of its tables names. */
export interface Place {
  readonly slug: string
  readonly schema: string
  /** The schema is dropped and made again during the storm. */
  readonly unsteady: boolean
}

/** Rows that are where they do not belong. */
export interface Misplaced {
  readonly schema: string
  readonly home: string
  readonly tag: string
  readonly count: string
}

const PREFIX = 'tenant_'
const CHUNK = 50

/**
 * A table's rows carry the schema that they were born in (`home`, a default of the column) and the
 * schema that the writer meant (`tag`). Each tenant has an enum type of its own, so that a plan of
 * another tenant cannot be used.
 */
const MAKE = `
  create function public.storm_make(place text) returns void language plpgsql as $$
  begin
    execute format('create schema %I', place);
    execute format('create type %I.mood as enum (%L)', place, 'mood of ' || place);
    execute format('create table %1$I.things (
      id bigint generated always as identity primary key,
      home text not null default %1$L, tag text not null, mood %1$I.mood not null default %2$L)',
      place, 'mood of ' || place);
    execute format('insert into %I.things (tag) values (%L), (%2$L)', place, place);
  end $$;

  create function public.storm_set_path(place text) returns void language plpgsql as $$
  begin perform set_config('search_path', place, false); end $$;

  create function public.storm_temporary(place text) returns void language plpgsql as $$
  begin
    execute 'create temporary table if not exists things (home text, tag text, id bigint)';
    execute format('insert into pg_temp.things values (%L, %1$L, 99999999)', 'temporary of ' || place);
  end $$;

  create function public.storm_read() returns table (home text, tag text) language plpgsql as $$
  begin return query select t.home, t.tag from things t order by t.id desc limit 3; end $$;

  create procedure public.storm_write(place text) language plpgsql as $$
  begin insert into things (tag) values (place); end $$;

  create procedure public.storm_commit(place text) language plpgsql as $$
  begin commit; insert into things (tag) values (place); end $$;
`

/** What answers when a statement falls through to the schema behind the tenant's own. */
const SHARED = `
  create table public.things (
    id bigint generated always as identity primary key,
    home text not null default 'public', tag text not null, mood text);
  insert into public.things (tag) values ('public');
`

const SCAN = `
  create function public.storm_scan() returns table (schema text, home text, tag text, count bigint)
  language plpgsql as $$
  declare place text;
  begin
    for place in select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where c.relname = 'things' and n.nspname !~ '^pg_'
    loop
      return query execute format(
        'select %1$L::text, home, tag, count(*) from %1$I.things
          where home <> %1$L or tag <> %1$L group by home, tag', place);
    end loop;
  end $$;
`

/** Tables that acts make carry the name of the schema that they were meant for. */
const STRAY = `
  select n.nspname || '.' || c.relname as stray
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname !~ '^pg_' and starts_with(c.relname, 'note_')
     and not starts_with(c.relname, 'note_' || n.nspname || '_')`

/** Makes the tenants with their schemas, and everything that the acts of the storm call. */
export async function makeFleet(admin: Pool, size: number, unsteady: number): Promise<Place[]> {
  const places = Array.from({ length: size }, (_, index): Place => {
    const slug = `s${String(index).padStart(3, '0')}`
    return { slug, schema: `${PREFIX}${slug}`, unsteady: index >= size - unsteady }
  })
  await new SchemaRouter({ pool: admin }).migrations.up({ select: select.shared() })
  await admin.query(MAKE + SHARED + SCAN)
  for (let start = 0; start < size; start += CHUNK) {
    const schemas = places.slice(start, start + CHUNK).map(({ schema }) => schema)
    await admin.query('select public.storm_make(place) from unnest($1::text[]) place', [schemas])
  }
  await admin.query(
    `insert into public.tenantry_tenants (slug, name, schema)
     select slug, slug, $1 || slug from unnest($2::text[]) slug`,
    [PREFIX, places.map(({ slug }) => slug)],
  )
  return places
}

/** Tells whether the server reports each change of the `search_path`. */
export async function reportsPath(admin: Pool): Promise<boolean> {
  const { rows } = await admin.query<{ version: string }>(
    `select current_setting('server_version_num') as version`,
  )
  return Number(rows[0]?.version) >= 180_000
}

/** Rows in the wrong schema, or written for another one than they are in. */
export async function misplacedRows(admin: Pool): Promise<readonly Misplaced[]> {
  const { rows } = await admin.query<Misplaced>('select * from public.storm_scan()')
  return rows
}

/** Tables that were made in another schema than they were meant for. */
export async function strayTables(admin: Pool): Promise<readonly string[]> {
  const { rows } = await admin.query<{ stray: string }>(STRAY)
  return rows.map(({ stray }) => stray)
}

/** How many rows all tenants have together. */
export async function countRows(admin: Pool, places: readonly Place[]): Promise<number> {
  const counts = places.map(({ schema }) => `select count(*) as n from "${schema}".things`)
  const { rows } = await admin.query<{ n: string }>(
    `select sum(n) as n from (${counts.join(' union all ')}) counts`,
  )
  return Number(rows[0]?.n)
}
