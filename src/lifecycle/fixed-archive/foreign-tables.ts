import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { LifecycleParts } from '../create/create.js'

/** What of a shared or a static schema is not its own. */
export interface ForeignTables {
  /** Oids of the registry's tables and of those of extensions, and of their sequences. */
  readonly oids: readonly string[]
  /** Foreign keys between the registry's tables and the schema's own. */
  readonly keys: readonly string[]
}

/**
 * Reads which tables are the registry's, whose rows come back with the tenants, and which are an
 * extension's.
 */
export async function readForeignTables(
  client: PoolClient,
  { layout, registry }: Pick<LifecycleParts, 'layout' | 'registry'>,
  schema: SchemaName,
): Promise<ForeignTables> {
  const { rows } = await client.query<{ oid: string | null; key: string | null }>(FOREIGN, [
    quoteIdent(schema),
    quoteIdent(layout.shared.schema),
    registry.tables ?? [],
  ])
  return {
    oids: rows.flatMap(({ oid }) => oid ?? []),
    keys: rows.flatMap(({ key }) => key ?? []),
  }
}

const FOREIGN = `
  with registry as (
    select oid from pg_catalog.pg_class
    where relnamespace = to_regnamespace($2) and relkind in ('r', 'p') and relname like 'tenantry\\_%'
    union
    select to_regclass(name)::oid from unnest($3::text[]) as given (name)
    where to_regclass(name) is not null
  ), foreigner as (
    select oid from registry
    union
    select objid from pg_catalog.pg_depend
    where classid = 'pg_catalog.pg_class'::regclass and deptype = 'e'
  )
  select oid::text, null as key from foreigner
  union
  select s.oid::text, null from pg_catalog.pg_class s
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
  where s.relkind = 'S' and d.refobjid in (select oid from foreigner)
  union
  select null, format('%I on %s', k.conname, k.conrelid::regclass)
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class o on o.oid = k.conrelid
  join pg_catalog.pg_class t on t.oid = k.confrelid
  where k.contype = 'f' and k.conparentid = 0
    and (o.oid in (select oid from registry)) <> (t.oid in (select oid from registry))
    and to_regnamespace($1) = case when o.oid in (select oid from registry)
      then t.relnamespace else o.relnamespace end`
