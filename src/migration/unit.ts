import pg from 'pg'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import { lockKey } from '../postgres/advisory-lock.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import { inTransaction } from '../postgres/transaction.js'
import { STEP_COLUMN, batchOf, placeOf } from './batch.js'
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
export function migrateSchema(pool: Pool, target: UnitTarget): Promise<readonly Migration[]> {
  return inTransaction(pool, (client) => applyPending(client, target))
}

/** The same inside a transaction that the caller has opened and will end. */
export async function applyPending(
  client: PoolClient,
  target: UnitTarget,
): Promise<readonly Migration[]> {
  const { schema, migrations } = target
  if (migrations.length === 0) return []
  await client.query(enterText(target)).catch((error: unknown) => missing(error, schema))
  const { rows } = await client.query<LedgerQueryRow>(
    `select id, name, hash from ${ledgerTable(schema)} order by id`,
  )
  const pending = pendingMigrations(schema, migrations, rows)
  if (pending.length > 0) await runBatch(client, schema, pending)
  return pending
}

/** Locks the schema, sets the path and makes the ledger, in one round trip. */
function enterText({ schema, path, createSchema, lockTimeoutMs, migrations }: UnitTarget): string {
  const ledger = migrations.find(({ id }) => id === 0)
  return [
    `set local lock_timeout = ${lockTimeoutMs}`,
    'set local client_min_messages = warning',
    `select pg_advisory_xact_lock(${quoteLiteral(lockKey('schema', schema))})`,
    ...(createSchema ? [`create schema if not exists ${quoteIdent(schema)}`] : []),
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
  schema: SchemaName,
  pending: readonly Migration[],
): Promise<void> {
  const batch = batchOf(pending)
  let step: number | undefined
  const text = batch.text + ledgerInsert(schema, pending)
  try {
    await new Promise<void>((resolve, reject) => {
      const query = new pg.Query(text)
      query.on('row', (row) => {
        if (typeof row[STEP_COLUMN] === 'number') step = row[STEP_COLUMN]
      })
      query.on('error', reject)
      query.on('end', () => resolve())
      client.query(query)
    })
  } catch (error) {
    throw migrationFailed(schema, error, placeOf(batch, positionOf(error), step))
  }
}

function positionOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('position' in error)) return undefined
  const position = Number(error.position)
  return Number.isInteger(position) && position > 0 ? position : undefined
}

function migrationFailed(
  schema: SchemaName,
  error: unknown,
  place: ReturnType<typeof placeOf>,
): TenantryError {
  const reason = error instanceof Error ? error.message : String(error)
  const sqlState = sqlStateOf(error)
  const name = place?.migration.fileName ?? 'A migration'
  const line = place?.line === undefined ? '' : `, line ${place.line}`
  return new TenantryError(
    'MIGRATION_FAILED',
    `${name}${line} failed in schema "${schema}": ${reason}. The schema is as it was before; ` +
      'correct the migration or the data, and run the migrations again.',
    {
      schema,
      ...(place && { migration: place.migration.fileName }),
      ...(place?.migration.file !== undefined && { file: place.migration.file }),
      ...(place?.line !== undefined && { line: place.line }),
      ...(place?.statement !== undefined && { statement: place.statement }),
      ...(sqlState !== undefined && { sqlState }),
      cause: error,
    },
  )
}
