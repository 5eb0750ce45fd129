import { TenantryError } from '../../errors.js'
import type { Queryable } from '../../postgres/queryable.js'
import type { MappedTable, Mapping } from './mapping.js'

interface TableFacts {
  /** A view has no indexes of its own. */
  readonly isTable: boolean
  readonly columns: readonly string[]
  readonly unique: readonly { readonly keys: readonly string[]; readonly isPartial: boolean }[]
}

/**
 * Makes a question that compares a mapping with the catalog, until they agree.
 *
 * @returns whether the tables are there: the service's own migrations may have to make them first.
 * The question throws `OPTIONS_INVALID` for a column or a unique index that is not there.
 */
export function catalogCheck({ tenants, domains }: Mapping): (db: Queryable) => Promise<boolean> {
  let agrees = false
  return async (db) => {
    if (agrees) return true
    const facts = await factsOf(db, tenants)
    if (facts === undefined) return false
    requireColumns('', tenants, facts)
    requireUnique('', tenants, facts, ['slug'])
    if (tenants.columns.has('schema')) requireUnique('', tenants, facts, ['schema'])
    if (domains !== undefined) {
      const also = await factsOf(db, domains)
      if (also === undefined) return false
      requireColumns('domains.', domains, also)
      requireUnique('domains.', domains, also, ['host', 'path'])
    }
    agrees = true
    return true
  }
}

async function factsOf(db: Queryable, { quoted }: MappedTable): Promise<TableFacts | undefined> {
  const { rows } = await db.query<{ facts: string }>(
    `select jsonb_build_object('isTable', c.relkind in ('r', 'p'),
       'columns', array(select a.attname::text from pg_catalog.pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       'unique', (select coalesce(jsonb_agg(jsonb_build_object(
           'isPartial', i.indpred is not null,
           'keys', array(select coalesce(a.attname::text, '')
             from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) key
             left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = key))), '[]')
         from pg_catalog.pg_index i
         where i.indrelid = c.oid and i.indisunique and i.indisvalid))::text as facts
     from pg_catalog.pg_class c where c.oid = to_regclass($1)`,
    [quoted],
  )
  const [row] = rows
  return row && JSON.parse(row.facts)
}

function requireColumns(
  where: string,
  { given, columns }: MappedTable,
  { columns: there }: TableFacts,
): void {
  for (const [name, column] of columns) {
    if (there.includes(column)) continue
    throw new TenantryError(
      'OPTIONS_INVALID',
      `Table "${given}" has no column "${column}", which mappedRegistry is told by ` +
        `"${where}columns.${name}". It has ${there.join(', ')}.`,
      { option: `${where}columns.${name}`, candidates: there },
    )
  }
}

/** Without an index, two who create the same tenant at once would both succeed. */
function requireUnique(
  where: string,
  { given, columns }: MappedTable,
  { unique, isTable }: TableFacts,
  names: readonly string[],
): void {
  if (!isTable) return
  const wanted = names.flatMap((name) => columns.get(name) ?? [])
  // Claims of the same domain are several rows, of which one at most is verified.
  const mayBePartial = where !== ''
  const isThere = unique.some(
    ({ keys, isPartial }) =>
      (mayBePartial || !isPartial) && keys.every((key) => wanted.includes(key)),
  )
  if (isThere) return
  throw new TenantryError(
    'OPTIONS_INVALID',
    `Table "${given}" has no unique index on ${wanted.map((name) => `"${name}"`).join(' and ')}, so ` +
      'two tenants could have the same. Create one by a migration of the shared schema.',
    { option: `${where}columns.${names[0]}` },
  )
}
