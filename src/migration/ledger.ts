import { createHash } from 'node:crypto'
import type { QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'
import { FINGERPRINT_TAG, rowsOfFingerprint } from './fingerprint.js'
import type { Migration } from './source.js'
import { present } from '../support/present.js'

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
  readonly ledger: 'none' | 'own' | 'foreign' | 'extension'
  /** The comment on the ledger, or the extension that is in the schema. */
  readonly note: string | null
}

/** What one look at the database brings. */
export interface Observation {
  readonly states: ReadonlyMap<SchemaName, SchemaState>
  /** The schema of each extension, if that was asked for. */
  readonly installed?: ReadonlyMap<string, string>
}

/** A row of a ledger as it is selected. */
export interface LedgerQueryRow extends QueryResultRow, Omit<LedgerRow, 'id'> {
  /** A service's pool may have type parsers of its own, by which numbers stay text. */
  readonly id: number | string
}

/** A row of a ledger with its id as a number. */
export function ledgerRow({ id, name, hash }: LedgerQueryRow): LedgerRow {
  return { id: Number(id), name, hash }
}

/** The id of the newest migration among those that a schema has had; 0 for none. */
export function newestId(applied: readonly LedgerRow[]): number {
  return Math.max(0, ...applied.map(({ id }) => id))
}

/** How many ledgers one statement reads; more make PostgreSQL's planning outgrow the round trip. */
const LEDGERS_PER_QUERY = 100

/** The ledger of one schema, by its qualified name. */
export function ledgerTable(schema: SchemaName): string {
  return `${quoteIdent(schema)}.migrations`
}

/** A column of what is answered when the ledger is written: all migrations have run by then. */
export const NOTED = 'tenantry_noted'
const SAYS_SO = `returning 'yes' as ${NOTED}`

/** The text that notes migrations as done. */
export function ledgerInsert(schema: SchemaName, migrations: readonly Migration[]): string {
  const rows = migrations.map(
    ({ id, name, hash }) => `(${id}, ${quoteLiteral(name)}, ${quoteLiteral(hash)})`,
  )
  return `insert into ${ledgerTable(schema)} (id, name, hash) values ${rows.join(', ')} ${SAYS_SO};`
}

/** The text that takes migrations out of the ledger. */
export function ledgerDelete(schema: SchemaName, ids: readonly number[]): string {
  return `delete from ${ledgerTable(schema)} where id in (${ids.join(', ')}) ${SAYS_SO};`
}

/** An expression for what all rows of a ledger come to; see {@link digestOf}. */
export function ledgerDigest(schema: SchemaName): string {
  return `(select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(
    id || ' ' || name || ' ' || hash, ',' order by id), 'UTF8')), 'hex') from ${ledgerTable(schema)})`
}

/** What rows come to, in the order of their ids. */
export function digestOf(rows: readonly LedgerRow[]): string {
  const text = rows
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, name, hash }) => `${id} ${name} ${hash}`)
    .join(',')
  return createHash('sha256').update(text).digest('hex')
}

/** Which schema's state is asked for, and what it may have had. */
export interface StateRequest {
  readonly schema: SchemaName
  readonly migrations: readonly Migration[]
}

/** Reads the state of many schemas; see {@link observeSchemas}. */
export async function readStates(
  db: Queryable,
  requests: readonly StateRequest[],
  deep = false,
): Promise<ReadonlyMap<SchemaName, SchemaState>> {
  return (await observeSchemas(db, requests, { deep })).states
}

/**
 * Reads the state of many schemas in one query, whatever their number, and with it where the
 * database's extensions are.
 *
 * The comment on a ledger tells its rows. Where it does not, or with `deep`, the ledger itself is
 * read, many in a query.
 */
export async function observeSchemas(
  db: Queryable,
  requests: readonly StateRequest[],
  { deep = false, extensions = false }: { readonly deep?: boolean; readonly extensions?: boolean },
): Promise<Observation> {
  const text = extensions ? `${STATES} union all ${EXTENSIONS}` : STATES
  const { rows } = await db.query<StateRow>(text, [requests.map(({ schema }) => schema), deep])
  const states = await statesFrom(
    db,
    requests,
    rows.filter(({ ledger }) => ledger !== 'extension'),
  )
  if (!extensions) return { states }
  const places = rows.filter(({ ledger }) => ledger === 'extension')
  return { states, installed: new Map(places.map(({ note, schema }) => [present(note), schema])) }
}

async function statesFrom(
  db: Queryable,
  requests: readonly StateRequest[],
  rows: readonly StateRow[],
): Promise<ReadonlyMap<SchemaName, SchemaState>> {
  const found = new Map(rows.map((row) => [row.schema, row]))
  const noted = new Map(requests.map((request) => [request.schema, notedRows(request, found)]))
  const applied = await readLedgers(
    db,
    requests.flatMap(({ schema }) =>
      found.get(schema)?.ledger === 'own' && noted.get(schema) === undefined ? [schema] : [],
    ),
  )
  return new Map(
    requests.map(({ schema }) => [
      schema,
      {
        exists: found.has(schema),
        foreign: found.get(schema)?.ledger === 'foreign',
        applied: noted.get(schema) ?? applied.get(schema) ?? [],
      },
    ]),
  )
}

/** What a ledger looks like is only asked where its comment does not say that it is ours. */
const STATES = `
  select n.nspname as schema, case when $2 then null else d.description end as note,
    case when c.oid is null then 'none'
      when not $2 and d.description like ${quoteLiteral(`${FINGERPRINT_TAG}%`)} then 'own'
      when (select count(*) from pg_catalog.pg_attribute a where a.attrelid = c.oid
            and a.attname in ('id', 'name', 'hash')) = 3 then 'own'
      else 'foreign' end as ledger
  from pg_catalog.pg_namespace n
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'migrations'
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
  left join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0
    and d.classoid = 'pg_catalog.pg_class'::regclass
  where n.nspname = any ($1)`

const EXTENSIONS = `
  select n.nspname, e.extname, 'extension' from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace`

function notedRows(
  { schema, migrations }: StateRequest,
  found: ReadonlyMap<string, StateRow>,
): readonly LedgerRow[] | undefined {
  const note = found.get(schema)?.note
  return typeof note === 'string' ? rowsOfFingerprint(migrations, note) : undefined
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
    const { rows } = await db.query<LedgerQueryRow & { readonly schema: string }>(
      selects.join(' union all '),
    )
    for (const row of rows) ledgers.get(row.schema)?.push(ledgerRow(row))
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
