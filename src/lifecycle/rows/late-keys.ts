import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'

/**
 * Below so many bytes of tables, indexes that grow with the rows take less time than to drop and to
 * make them.
 */
const MIN_BYTES = 8 * 1024 * 1024

/** An index or a constraint that is made after the rows are in. */
export interface LateKey {
  /** The table that has it, qualified. */
  readonly owner: string
  /** The same without its schema. */
  readonly table: string
  readonly name: string
  readonly drop: string
  readonly make: string
}

/** Keys in the order in which they are made; they are dropped in the opposite one. */
export type LateKeys = readonly LateKey[]

/**
 * Reads the indexes and keys of a new schema that can be made again, word for word, after its rows are
 * in: to build an index at once, and to check a foreign key by one query, is several times faster than
 * row by row, and is what `pg_restore` does.
 *
 * The path has to be `pg_catalog` alone, so that names in definitions are whole.
 *
 * @param bytes How large the tables will be; `undefined` if nobody knows.
 * @param except Oids of tables that are left alone.
 * @see https://www.postgresql.org/docs/current/populate.html
 */
export async function readLateKeys(
  client: PoolClient,
  schema: SchemaName,
  bytes: number | undefined,
  except: readonly string[] = [],
): Promise<LateKeys> {
  if (bytes !== undefined && bytes < MIN_BYTES) return []
  const { rows } = await client.query<LateKey>(LATE_KEYS, [quoteIdent(schema), except])
  return rows
}

/** How many bytes the tables of a schema are, in a form that JSON has too. */
export async function tableBytes(client: PoolClient, schema: SchemaName): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `select coalesce(sum(pg_table_size(oid)), 0)::text as bytes from pg_class
     where relnamespace = to_regnamespace($1) and relkind = 'r'`,
    [quoteIdent(schema)],
  )
  return Number(rows[0]?.bytes)
}

/**
 * What something else needs stays: keys of partitions and heirs, keys that a view groups by, indexes
 * that replication or CLUSTER use. So does what its definition does not tell wholly, such as a
 * tablespace, and an index with functions that the service has made, which CREATE INDEX calls on
 * another path than INSERT does.
 */
const LATE_KEYS = `
  with own as (
    select c.oid from pg_class c
    where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and not c.relispartition
      and not c.relhassubclass and pg_has_role(c.relowner, 'usage')
      and not exists (select from pg_inherits where inhrelid = c.oid) and c.oid <> all ($2::oid[])
  ), links as (
    select k.oid from pg_constraint k
    where k.contype = 'f' and k.conparentid = 0
      and k.conrelid in (select oid from own) and k.confrelid in (select oid from own)
      and not exists (select from pg_trigger g where g.tgconstraint = k.oid and g.tgenabled <> 'O')
  ), indexes as (
    select i.indexrelid as oid, i.indrelid as owner, k.oid as key
    from pg_index i join pg_class x on x.oid = i.indexrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid
      and k.contype in ('p', 'u', 'x')
    where i.indrelid in (select oid from own) and i.indisvalid and i.indisready and i.indislive
      and not i.indisclustered and not i.indisreplident and x.reltablespace = 0
      and (k.oid is null or x.reloptions is null)
      and not exists (select from pg_attribute a
        where a.attrelid = x.oid and coalesce(a.attstattarget, -1) <> -1)
  ), free as (
    select x.oid, x.owner, x.key from indexes x
    where not exists (
      select from pg_depend d
      where (d.classid = 'pg_class'::regclass and d.objid = x.oid
          or d.classid = 'pg_constraint'::regclass and d.objid = x.key)
        and (d.deptype in ('e', 'x')
          or d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
          or d.refclassid = 'pg_opclass'::regclass and not exists (select from pg_depend e
            where e.classid = d.refclassid and e.objid = d.refobjid and e.deptype = 'e')))
    and not exists (
      select from pg_depend d
      where (d.refclassid = 'pg_class'::regclass and d.refobjid = x.oid
          or d.refclassid = 'pg_constraint'::regclass and d.refobjid = x.key)
        and not (d.classid = 'pg_class'::regclass and d.objid = x.oid)
        and not (d.classid = 'pg_constraint'::regclass and d.objid in (select oid from links)))
  ), late as (
    select 1 as turn, x.oid, x.owner, c.relname as name,
      format('drop index %s', x.oid::regclass) as drop, pg_get_indexdef(x.oid) as make,
      format('index %s', x.oid::regclass) as called, obj_description(x.oid, 'pg_class') as comment
    from free x join pg_class c on c.oid = x.oid where x.key is null
    union all
    select case k.contype when 'f' then 3 else 2 end, k.oid, k.conrelid, k.conname,
      format('alter table only %s drop constraint %I', k.conrelid::regclass, k.conname),
      concat_ws(E';\\n',
        format('alter table only %s add constraint %I %s',
          k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)),
        'comment on index ' || x.oid::regclass || ' is '
          || quote_literal(obj_description(x.oid, 'pg_class'))),
      format('constraint %I on %s', k.conname, k.conrelid::regclass),
      obj_description(k.oid, 'pg_constraint')
    from pg_constraint k left join free x on x.key = k.oid
    where x.key is not null or k.oid in (select oid from links)
  )
  select owner::regclass::text as owner, name::text as name, drop,
    (select relname::text from pg_class where oid = owner) as table,
    concat_ws(E';\\n', make, 'comment on ' || called || ' is ' || quote_literal(comment)) as make
  from late order by turn, oid`
