import type { SchemaName } from '../../names/schema-name.js'
import type { Queryable } from '../../postgres/queryable.js'

/** Something in a schema that can be dropped by itself. */
export interface Droppable {
  readonly dropText: string
  /** How many locks its drop takes, about. */
  readonly locks: number
}

/**
 * What is in a schema, in the order in which it is dropped: partitions before their tables, and
 * routines and types when no table needs them any more.
 *
 * PostgreSQL locks every object that it drops: also the indexes, constraints, triggers, defaults and
 * types of a table.
 */
export async function readDroppables(
  db: Queryable,
  schema: SchemaName,
): Promise<readonly Droppable[]> {
  const { rows } = await db.query<{ dropText: string; locks: string }>(DROPPABLES, [schema])
  return rows.map(({ dropText, locks }) => ({ dropText, locks: Number(locks) }))
}

const DROPPABLES = `
  with target as (select oid from pg_catalog.pg_namespace where nspname = $1),
  relation as (
    select c.*, case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
      when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as what
    from pg_catalog.pg_class c join target t on t.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid
        and d.classid = 'pg_class'::regclass and (d.deptype = 'e' or c.relkind = 'S' and d.deptype in ('a', 'i')))
  ),
  item (turn, id, text, locks) as (
    select case when c.relispartition then 0 when c.relkind in ('v', 'm') then 1 else 2 end, c.oid,
      format('drop %s if exists %s cascade', c.what, c.oid::regclass),
      4 + case when c.reltoastrelid = 0 then 0 else 3 end
        + 2 * (select count(*) from pg_catalog.pg_index i where i.indrelid = c.oid)
        + 3 * (select count(*) from pg_catalog.pg_constraint k
            where k.conrelid = c.oid or k.confrelid = c.oid)
        + (select count(*) from pg_catalog.pg_attrdef f where f.adrelid = c.oid)
        + (select count(*) from pg_catalog.pg_trigger g where g.tgrelid = c.oid)
        + (select count(*) from pg_catalog.pg_rewrite r where r.ev_class = c.oid)
        + (select count(*) from pg_catalog.pg_policy p where p.polrelid = c.oid)
        + 3 * (select count(*) from pg_catalog.pg_depend d
            where d.refobjid = c.oid and d.refclassid = 'pg_class'::regclass
              and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
    from relation c
    union all
    select 3, p.oid, format('drop routine if exists %s cascade', p.oid::regprocedure), 2
    from pg_catalog.pg_proc p join target t on t.oid = p.pronamespace
    where not exists (select from pg_catalog.pg_depend d where d.objid = p.oid
      and d.classid = 'pg_proc'::regclass and d.deptype in ('e', 'i'))
    union all
    select 4, y.oid, format('drop type if exists %s cascade', y.oid::regtype), 4
    from pg_catalog.pg_type y join target t on t.oid = y.typnamespace
    left join pg_catalog.pg_class c on c.oid = y.typrelid
    where (y.typtype in ('e', 'd', 'r') or c.relkind = 'c')
      and not exists (select from pg_catalog.pg_depend d where d.objid = y.oid
        and d.classid = 'pg_type'::regclass and d.deptype in ('e', 'i'))
  )
  select text as "dropText", locks::text from item order by turn, id desc`

/** As much as may be dropped in one transaction; one object at least. */
export function firstBatch(droppables: readonly Droppable[], budget: number): readonly Droppable[] {
  let sum = 0
  const end = droppables.findIndex(({ locks }) => {
    sum += locks
    return sum > budget
  })
  return end === -1 ? droppables : droppables.slice(0, Math.max(1, end))
}

/** What in other schemas would be dropped together with a schema. */
export async function dependentsOutside(
  db: Queryable,
  schema: SchemaName,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ dependent: string }>(DEPENDENTS, [schema])
  return rows.map(({ dependent }) => dependent)
}

const DEPENDENTS = `
  with target as (select oid from pg_catalog.pg_namespace where nspname = $1),
  inside as (
    select 'pg_class'::regclass as class, c.oid from pg_catalog.pg_class c
      join target t on t.oid = c.relnamespace
    union all
    select 'pg_type'::regclass, y.oid from pg_catalog.pg_type y join target t on t.oid = y.typnamespace
    union all
    select 'pg_proc'::regclass, p.oid from pg_catalog.pg_proc p join target t on t.oid = p.pronamespace
  ),
  dependent as (
    select distinct d.classid, d.objid, coalesce(
      (select relnamespace from pg_catalog.pg_class
        where d.classid = 'pg_class'::regclass and oid = d.objid and relkind <> 't'),
      (select typnamespace from pg_catalog.pg_type
        where d.classid = 'pg_type'::regclass and oid = d.objid),
      (select pronamespace from pg_catalog.pg_proc
        where d.classid = 'pg_proc'::regclass and oid = d.objid),
      (select connamespace from pg_catalog.pg_constraint
        where d.classid = 'pg_constraint'::regclass and oid = d.objid),
      (select c.relnamespace from pg_catalog.pg_class c where c.oid = coalesce(
        (select adrelid from pg_catalog.pg_attrdef
          where d.classid = 'pg_attrdef'::regclass and oid = d.objid),
        (select ev_class from pg_catalog.pg_rewrite
          where d.classid = 'pg_rewrite'::regclass and oid = d.objid),
        (select tgrelid from pg_catalog.pg_trigger
          where d.classid = 'pg_trigger'::regclass and oid = d.objid),
        (select polrelid from pg_catalog.pg_policy
          where d.classid = 'pg_policy'::regclass and oid = d.objid)))
      ) as home
    from pg_catalog.pg_depend d join inside i on i.class = d.refclassid and i.oid = d.refobjid
    where d.deptype in ('n', 'a')
  )
  select pg_catalog.pg_describe_object(d.classid, d.objid, 0) as dependent
  from dependent d
  where d.home <> (select oid from target)
  order by 1 limit 20`
