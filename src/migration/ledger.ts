import type { QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'
import type { Migration } from './source.js'

/** One row of the table `migrations` inside a schema. */
export interface LedgerRow {
  readonly id: number
  readonly name: string
  readonly hash: string
}

/** What the database says about one schema. */
export interface SchemaState {
  readonly exists: boolean
  /** A table of another tool stands where the ledger belongs. */
  readonly foreign?: boolean
  readonly applied: readonly LedgerRow[]
}

interface StateRow extends QueryResultRow {
  readonly schema: string
  readonly ledger: 'none' | 'own' | 'foreign'
}

interface LedgerQueryRow extends QueryResultRow, LedgerRow {
  readonly schema: string
}

/** How many ledgers one statement reads; more make PostgreSQL's planning outgrow the round trip. */
const LEDGERS_PER_QUERY = 100

/** The ledger of one schema, by its qualified name. */
export function ledgerTable(schema: SchemaName): string {
  return `${quoteIdent(schema)}.migrations`
}

/** The text that notes migrations as done. */
export function ledgerInsert(schema: SchemaName, migrations: readonly Migration[]): string {
  const rows = migrations.map(
    ({ id, name, hash }) => `(${id}, ${quoteLiteral(name)}, ${quoteLiteral(hash)})`,
  )
  return `insert into ${ledgerTable(schema)} (id, name, hash) values ${rows.join(', ')};`
}

/** Reads the state of many schemas in a few queries, whatever their number. */
export async function readStates(
  db: Queryable,
  schemas: readonly SchemaName[],
): Promise<ReadonlyMap<SchemaName, SchemaState>> {
  const { rows } = await db.query<StateRow>(
    `select n.nspname as schema,
       case when c.oid is null then 'none'
         when (select count(*) from pg_catalog.pg_attribute a where a.attrelid = c.oid
               and a.attname in ('id', 'name', 'hash')) = 3 then 'own'
         else 'foreign' end as ledger
     from pg_catalog.pg_namespace n
     left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'migrations'
       and c.relkind in ('r', 'p', 'v', 'm', 'f')
     where n.nspname = any ($1)`,
    [schemas],
  )
  const found = new Map(rows.map((row) => [row.schema, row.ledger]))
  const applied = await readLedgers(
    db,
    schemas.filter((schema) => found.get(schema) === 'own'),
  )
  return new Map(
    schemas.map((schema) => [
      schema,
      {
        exists: found.has(schema),
        foreign: found.get(schema) === 'foreign',
        applied: applied.get(schema) ?? [],
      },
    ]),
  )
}

async function readLedgers(
  db: Queryable,
  schemas: readonly SchemaName[],
): Promise<ReadonlyMap<string, readonly LedgerRow[]>> {
  const ledgers = new Map<string, LedgerRow[]>(schemas.map((schema) => [schema, []]))
  for (let from = 0; from < schemas.length; from += LEDGERS_PER_QUERY) {
    const selects = schemas
      .slice(from, from + LEDGERS_PER_QUERY)
      .map(
        (schema) =>
          `select ${quoteLiteral(schema)} as schema, id, name, hash from ${ledgerTable(schema)}`,
      )
    const { rows } = await db.query<LedgerQueryRow>(selects.join(' union all '))
    for (const { schema, id, name, hash } of rows) ledgers.get(schema)?.push({ id, name, hash })
  }
  return ledgers
}

/** The error for a table that has the ledger's name and not its columns. */
export function foreignLedger(schema: string): TenantryError {
  return new TenantryError(
    'MIGRATION_UNKNOWN',
    `The table "${schema}.migrations" belongs to another tool, so it cannot say which migrations ` +
      'the schema has had. Rename or drop it.',
    { schema },
  )
}
