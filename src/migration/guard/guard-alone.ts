import type { PoolClient, QueryResultRow } from 'pg'
import { TenantryError } from '../../errors.js'
import { quoteLiteral } from '../../names/schema-name.js'
import { firstFew } from '../../support/first-few.js'
import { placeOf } from './guard.js'
import type { Migration } from '../source.js'
import type { UnitTarget } from '../unit/unit-target.js'

interface OutsideRow extends QueryResultRow {
  readonly schema: string
  readonly object: string
  /** What it is made of, so that a change is seen as a difference. */
  readonly state: string
}

/** What stands outside of a schema at one moment. */
export type Surroundings = readonly OutsideRow[]

/**
 * Reads what stands outside of a schema, before and after a file that is in no transaction: there
 * are no locks left to look at then, and nothing says which rows are its own.
 *
 * Schemas in which other workers of the same run make the same changes are left out. What a foreign
 * key changes on the table that it refers to is left out as well.
 *
 * @returns nothing where nobody is to look.
 */
export async function readSurroundings(
  client: PoolClient,
  { schema, guard }: UnitTarget,
): Promise<Surroundings> {
  if (guard === undefined) return []
  const { outside, notRegistry } = placeOf(schema, guard)
  const { prefix, names = [] } = guard.others ?? {}
  const others = [
    ...(prefix === undefined ? [] : [`and not starts_with(n.nspname, ${quoteLiteral(prefix)})`]),
    ...names.map((name) => `and n.nspname <> ${quoteLiteral(name)}`),
  ]
  const where = `${outside} ${others.join(' ')}`
  const { rows } = await client.query<OutsideRow>(surroundingsText(where, notRegistry))
  return rows
}

const surroundingsText = (where: string, notRegistry: string): string => `
  select n.nspname as schema, c.relname::text as object, pg_catalog.concat_ws(' ', 'relation', c.oid,
    c.relowner, c.relacl, c.reloptions, c.relrowsecurity, c.relforcerowsecurity,
    (select pg_catalog.string_agg(a.attnum || ' ' || a.xmin, ',' order by a.attnum)
      from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
    (select pg_catalog.string_agg(t.oid || ' ' || t.xmin, ',' order by t.oid)
      from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal),
    (select pg_catalog.string_agg(k.oid || ' ' || k.xmin, ',' order by k.oid)
      from pg_catalog.pg_constraint k where k.conrelid = c.oid)) as state
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where ${where} ${notRegistry}
  union all
  select n.nspname, p.proname::text, pg_catalog.concat_ws(' ', 'function', p.oid, p.xmin)
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where ${where}
  union all
  select n.nspname, t.typname::text, pg_catalog.concat_ws(' ', 'type', t.oid, t.xmin,
    (select pg_catalog.string_agg(e.oid || ' ' || e.xmin, ',' order by e.oid)
      from pg_catalog.pg_enum e where e.enumtypid = t.oid))
  from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where ${where} and t.typrelid = 0 and t.typcategory <> 'A'
  union all
  select n.nspname, n.nspname::text, pg_catalog.concat_ws(' ', 'schema', n.oid, n.xmin)
  from pg_catalog.pg_namespace n where ${where}`

/**
 * Fails where a file that ran outside of a transaction has changed what is around its schema.
 *
 * @throws `MIGRATION_ESCAPED`
 */
export async function requireSameSurroundings(
  client: PoolClient,
  target: UnitTarget,
  { migration, before }: { readonly migration: Migration; readonly before: Surroundings },
): Promise<void> {
  const after = await readSurroundings(client, target)
  const changed = [...missingIn(before, after), ...missingIn(after, before)]
  const names = [...new Set(changed.map(({ schema, object }) => `${schema}.${object}`))]
  const [first] = changed
  if (first === undefined) return
  const { fileName, file } = migration
  throw new TenantryError(
    'MIGRATION_ESCAPED',
    `While ${fileName} ran outside of a transaction in schema "${target.schema}", these were made, ` +
      `changed or dropped in other schemas: ${firstFew(names, ', ')}. That was not rolled back, and ` +
      'the file is not noted as done. Undo what it did, take the other schema out of the file, and ' +
      'run the migrations again. If it is meant, or was done by somebody else in the meantime, note ' +
      `the file by migrations.markApplied; guard: { allow: ['${first.schema}'] } lets it pass next time.`,
    { schema: target.schema, migration: fileName, file, candidates: names },
  )
}

function missingIn(these: Surroundings, those: Surroundings): Surroundings {
  const known = new Set(those.map(keyOf))
  return these.filter((row) => !known.has(keyOf(row)))
}

function keyOf({ schema, object, state }: OutsideRow): string {
  return JSON.stringify([schema, object, state])
}
