import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { Link } from './copy-order.js'

/** A column of a table that is copied. */
export interface CopyColumn {
  readonly name: string
  /** The server computes it. */
  readonly generated: boolean
  /** The type in the new schema, where the schemas have a type of their own each. */
  readonly ownType: string | null
}

/** A table that is copied; partitions are filled through their table. */
export interface CopyTable {
  readonly name: string
  /** Its rows are those of its partitions; of any other table, those of its heirs are not meant. */
  readonly partitioned: boolean
  readonly columns: readonly CopyColumn[]
}

/** A foreign key inside the new schema. */
export interface ForeignKey extends Link {
  /** The table that has it, qualified, which may be a partition. */
  readonly owner: string
  readonly name: string
  readonly definition: string
  readonly comment: string | null
}

/** What would act on its own when rows come in: a trigger or a rule. */
export interface Reaction {
  readonly owner: string
  readonly kind: 'trigger' | 'rule'
  readonly name: string
  readonly always: boolean
}

/** A sequence, with the tables that own it or take their defaults from it. */
export interface CopySequence {
  readonly name: string
  readonly tables: readonly string[]
}

/** What a copy needs to know of the new schema, which is built like its source. */
export interface CopyCatalog {
  readonly tables: readonly CopyTable[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly reactions: readonly Reaction[]
  readonly sequences: readonly CopySequence[]
  readonly materializedViews: readonly string[]
  /** Tables whose policies hold for their owner as well, qualified. */
  readonly forced: readonly string[]
}

/** The schema's own record of its migrations, which has been written already. */
const LEDGER_NAME = 'migrations'

/**
 * Reads what a copy needs to know; the path has to be `pg_catalog` alone, so that names are whole.
 *
 * @param except Oids of tables and sequences that are left alone.
 */
export async function readCopyCatalog(
  client: PoolClient,
  schema: SchemaName,
  except: readonly string[] = [],
): Promise<CopyCatalog> {
  const home = quoteIdent(schema)
  const rowsOf = async <R extends object>(text: string): Promise<readonly R[]> => {
    const asJson = `select row_to_json(found)::text as json from (${text}) found`
    const { rows } = await client.query<{ json: string }>(asJson, [home, except])
    return rows.map(({ json }) => JSON.parse(json))
  }
  const tables = await rowsOf<CopyTable>(TABLES)
  const forced = await rowsOf<{ name: string }>(FORCED)
  const views = await rowsOf<{ name: string }>(MATERIALIZED_VIEWS)
  return {
    tables: tables.filter(({ name }) => name !== LEDGER_NAME),
    foreignKeys: await rowsOf<ForeignKey>(FOREIGN_KEYS),
    reactions: await rowsOf<Reaction>(REACTIONS),
    sequences: await rowsOf<CopySequence>(SEQUENCES),
    materializedViews: views.map(({ name }) => name),
    forced: forced.map(({ name }) => name),
  }
}

const TABLES = `
  select c.relname as name, c.relkind = 'p' as partitioned, coalesce(json_agg(json_build_object(
      'name', a.attname, 'generated', a.attgenerated <> '',
      'ownType', case when y.typnamespace = to_regnamespace($1)
        then format_type(a.atttypid, a.atttypmod) end)
    order by a.attnum) filter (where a.attname is not null), '[]') as columns
  from pg_class c
  left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_type y on y.oid = a.atttypid
  where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and not c.relispartition
    and c.oid <> all ($2::oid[])
  group by c.oid, c.relname, c.relkind order by c.relname`

/** Those that can be deferred are, and are no reason for an order. */
const FOREIGN_KEYS = `
  select k.conrelid::regclass::text as owner, k.conname as name,
    pg_get_constraintdef(k.oid) as definition, obj_description(k.oid, 'pg_constraint') as comment,
    (select relname from pg_class where oid = coalesce(pg_partition_root(k.conrelid), k.conrelid)) as from,
    (select relname from pg_class where oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)) as to
  from pg_constraint k join pg_class c on c.oid = k.confrelid
  where k.contype = 'f' and k.connamespace = to_regnamespace($1)
    and c.relnamespace = to_regnamespace($1) and k.conparentid = 0 and not k.condeferrable
    and k.conrelid <> all ($2::oid[])
  order by k.oid`

const REACTIONS = `
  select g.tgrelid::regclass::text as owner, 'trigger' as kind, g.tgname as name,
    g.tgenabled = 'A' as always
  from pg_trigger g join pg_class c on c.oid = g.tgrelid
  where c.relnamespace = to_regnamespace($1) and not g.tgisinternal and c.relkind in ('r', 'p')
    and g.tgenabled in ('O', 'A') and c.oid <> all ($2::oid[])
  union all
  select r.ev_class::regclass::text, 'rule', r.rulename, r.ev_enabled = 'A'
  from pg_rewrite r join pg_class c on c.oid = r.ev_class
  where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
    and r.ev_enabled in ('O', 'A') and c.oid <> all ($2::oid[])`

const SEQUENCES = `
  select c.relname as name, coalesce((
    select json_agg(distinct t.relname)
    from (
      select refobjid as id from pg_depend where classid = 'pg_class'::regclass and objid = c.oid
        and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
      union
      select f.adrelid from pg_depend d join pg_attrdef f on f.oid = d.objid
      where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
        and d.refobjid = c.oid
    ) u join pg_class t on t.oid = coalesce(pg_partition_root(u.id), u.id)), '[]') as tables
  from pg_class c
  where c.relnamespace = to_regnamespace($1) and c.relkind = 'S' and c.oid <> all ($2::oid[])
  order by c.relname`

const MATERIALIZED_VIEWS = `
  select relname as name from pg_class
  where relnamespace = to_regnamespace($1) and relkind = 'm' and oid <> all ($2::oid[])
  order by oid`

const FORCED = `
  select oid::regclass::text as name from pg_class
  where relnamespace = to_regnamespace($1) and relforcerowsecurity
    and oid <> all ($2::oid[])`
