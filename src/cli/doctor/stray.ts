import { judged } from './judged.js'
import { type Check, namesOf } from './finding.js'

/**
 * Objects of tenants that were made outside of a scope: what is in `public` and has the name of
 * something that tenants have.
 *
 * What belongs to an extension is nobody's mistake, and a column's sequence goes with its table.
 */
export const strayObjects: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `with objects as (
         select 'pg_class'::regclass as catalog, oid, relnamespace as place, relname as name,
           case relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence'
             else 'table' end as kind
         from pg_class where relkind in ('r', 'p', 'f', 'v', 'm', 'S')
         union all
         select 'pg_proc'::regclass, oid, pronamespace, proname, 'function' from pg_proc
         union all
         select 'pg_type'::regclass, oid, typnamespace, typname, 'type' from pg_type
         where typtype in ('e', 'd', 'r')
       )
       select distinct stray.kind || ' public.' || stray.name as name from objects as stray
       where stray.place = 'public'::regnamespace and stray.name <> 'migrations'
         and not exists (select from pg_depend
                         where classid = stray.catalog and objid = stray.oid
                           and (deptype in ('e', 'i') or deptype = 'a' and stray.kind = 'sequence'))
         and exists (select from objects as own join pg_namespace on pg_namespace.oid = own.place
                     where own.name = stray.name and own.kind = stray.kind and nspname = any ($1))
       order by 1`,
      [patient.tenants.map(({ schema }) => schema)],
    ),
    {
      check: 'stray objects',
      level: 'warning',
      fine: "nothing in public is called like what is the tenants'",
      message: "these are called like the tenants' own",
      advice:
        'They were probably made without a scope. Move rows to the tenants and drop what is left, ' +
        'or rename it.',
    },
  )
