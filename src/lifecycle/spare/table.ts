import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { lockKey } from '../../postgres/advisory-lock.js'
import type { Queryable } from '../../postgres/queryable.js'

/** The table of spares, qualified with the shared schema. */
export function spareTable(shared: SchemaName): string {
  return `${quoteIdent(shared)}.tenantry_spares`
}

/**
 * What leads from each version to the next; every statement can be run again on what it has made.
 *
 * A spare's slot is a number up to that of the spares that are wanted, so that processes which fill
 * the slots together make no more. `ledger` and `path` say for which migrations and which path the
 * spare was found fit to be renamed; the locks are those of who migrates the schema.
 */
const UPGRADES: readonly ((table: string) => string)[] = [
  (table) => `
    create table if not exists ${table} (
      slot int primary key check (slot > 0),
      schema text not null unique,
      ledger text not null,
      path text not null,
      names_itself boolean not null,
      lock_key bigint not null,
      alone_key bigint not null,
      made_at timestamptz not null default now()
    );`,
]

const VERSION = UPGRADES.length
const NOTE = 'tenantry spares, version '

/** Makes the table, or brings it up to date; one query where it is current. */
export async function installSpareTable(db: Queryable, shared: SchemaName): Promise<void> {
  const table = spareTable(shared)
  const { rows } = await db.query<{ note: string | null; there: string | null }>(
    `select obj_description(to_regclass($1), 'pg_class') as note,
      ${yesIf('to_regnamespace($2) is not null')} as there`,
    [table, quoteIdent(shared)],
  )
  const [row] = rows
  const from = versionIn(row?.note)
  if (from >= VERSION) return
  const key = quoteLiteral(lockKey('spares', shared))
  const steps = UPGRADES.slice(from).map((step) => step(table))
  await db.query(`select pg_advisory_xact_lock(${key});
    ${isYes(row?.there) ? '' : `create schema if not exists ${quoteIdent(shared)};`}
    ${steps.join('')}
    comment on table ${table} is ${quoteLiteral(`${NOTE}${VERSION}`)};`)
}

function versionIn(note: string | null | undefined): number {
  const version = note?.startsWith(NOTE) ? Number(note.slice(NOTE.length)) : 0
  return Number.isSafeInteger(version) ? version : 0
}

/** What is known of a spare. */
export interface SpareRow {
  readonly schema: SchemaName
  /** The state of its ledger for which it was found fit. */
  readonly ledger: string
  readonly path: string
  /** What its ledger says now; `null` where it has none. */
  readonly note: string | null
}

/** All spares that exist. Without the table there is none. */
export async function readSpares(db: Queryable, shared: SchemaName): Promise<readonly SpareRow[]> {
  const table = spareTable(shared)
  const { rows: found } = await db.query<{ there: string | null }>(
    `select ${yesIf('to_regclass($1) is not null')} as there`,
    [table],
  )
  if (!isYes(found[0]?.there)) return []
  const { rows } = await db.query<SpareRow & { slot: number }>(
    `select s.schema, s.ledger, s.path, d.description as note
     from ${table} s join pg_catalog.pg_namespace n on n.nspname = s.schema
     left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'migrations'
     left join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0
       and d.classoid = 'pg_catalog.pg_class'::regclass
     order by s.slot`,
  )
  return rows
}
