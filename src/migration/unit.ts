import pg from 'pg'
import type { PoolClient, QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import { lockKey } from '../postgres/advisory-lock.js'
import { memoryOf } from '../postgres/client-memory.js'
import type { Database } from '../postgres/database.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import { STEP_COLUMN, batchOf, placeOf } from './batch.js'
import { fingerprintText } from './fingerprint.js'
import { migrationFailed, positionOf } from './failure.js'
import { type LedgerRow, ledgerInsert, ledgerTable } from './ledger.js'
import { pendingMigrations } from './plan.js'
import type { Migration } from './source.js'

/** One schema, as its migrations see it. */
export interface UnitTarget {
  readonly schema: SchemaName
  /** The text of the whole `search_path`. */
  readonly path: string
  /** All migrations of the schema's set. */
  readonly migrations: readonly Migration[]
  /** Make the schema if it is missing; only the shared and static ones are made this way. */
  readonly createSchema: boolean
  /** How long to wait for a lock, in milliseconds. */
  readonly lockTimeoutMs: number
}

interface LedgerQueryRow extends QueryResultRow, LedgerRow {}

/**
 * Brings one schema up to date in one transaction: it is on its new version afterwards, or exactly
 * as it was before.
 *
 * @returns the migrations that ran; none if another runner was faster.
 */
export function migrateSchema(db: Database, target: UnitTarget): Promise<readonly Migration[]> {
  return db.transaction((client) => applyPending(client, target))
}

/** The same inside a transaction that the caller has opened and will end. */
export async function applyPending(
  client: PoolClient,
  target: UnitTarget,
): Promise<readonly Migration[]> {
  const { schema, migrations } = target
  await client.query(enterText(target)).catch((error: unknown) => missing(error, schema))
  if (migrations.length === 0) return []
  const { rows } = await client.query<LedgerQueryRow>(
    `select id, name, hash from ${ledgerTable(schema)} order by id`,
  )
  const pending = pendingMigrations(schema, migrations, rows)
  if (pending.length > 0) await runBatch(client, target, { pending, applied: rows })
  return pending
}

/** A setting that remembers, until the transaction ends, which path the client came with. */
const CLIENT_PATH = 'tenantry.client_path'
/** A migration may have changed the path of the session, which is the next borrower's. */
const RESTORE_PATH = `select pg_catalog.set_config('search_path', current_setting('${CLIENT_PATH}'), false);`

/** Locks the schema, sets the path and makes the ledger, in one round trip. */
function enterText({ schema, path, createSchema, lockTimeoutMs, migrations }: UnitTarget): string {
  const ledger = migrations.find(({ id }) => id === 0)
  return [
    `set local lock_timeout = ${lockTimeoutMs}`,
    'set local client_min_messages = warning',
    `select pg_advisory_xact_lock(${quoteLiteral(lockKey('schema', schema))})`,
    ...(createSchema ? [`create schema if not exists ${quoteIdent(schema)}`] : []),
    `select set_config('${CLIENT_PATH}', current_setting('search_path'), true)`,
    `select set_config('search_path', ${quoteLiteral(path)}, true), ${quoteLiteral(quoteIdent(schema))}::regnamespace`,
    ...(ledger === undefined ? [] : [ledger.sql]),
  ].join(';\n')
}

function missing(error: unknown, schema: SchemaName): never {
  if (sqlStateOf(error) !== SQL_STATE.invalidSchemaName) throw error
  throw new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${schema}" is registered but does not exist. Restore it, or delete the tenant.`,
    { schema, cause: error },
  )
}

async function runBatch(
  client: PoolClient,
  { schema, path }: UnitTarget,
  { pending, applied }: { pending: readonly Migration[]; applied: readonly LedgerRow[] },
): Promise<void> {
  const batch = batchOf(pending, path)
  const memory = memoryOf(client)
  for (const { sql } of pending) memory.noteScript(sql)
  let step: number | undefined
  const text = [
    batch.text,
    ledgerInsert(schema, pending),
    fingerprintText(schema, [...applied, ...pending]),
    RESTORE_PATH,
  ].join('\n')
  try {
    await runText(client, text, (row) => {
      if (STEP_COLUMN in row) step = Number(row[STEP_COLUMN])
    })
  } catch (error) {
    throw migrationFailed(schema, error, placeOf(batch, positionOf(error), step))
  }
}

/** Runs a text of many statements and hears of its rows as they come, also when it fails. */
function runText(
  client: PoolClient,
  text: string,
  onRow: (row: Record<string, unknown>) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // A callback, not events: with a query_timeout pg calls it and emits no error.
    const query = new pg.Query(text, undefined, (error: Error | null | undefined) => {
      if (error) reject(error)
      else resolve()
    })
    query.on('row', onRow)
    client.query(query)
  })
}
