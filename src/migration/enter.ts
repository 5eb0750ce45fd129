import type { PoolClient, QueryResult, QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import { lockKey } from '../postgres/advisory-lock.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import { type LedgerRow, ledgerTable } from './ledger.js'
import type { UnitTarget } from './unit-target.js'

interface LedgerQueryRow extends QueryResultRow, LedgerRow {}

/** A setting that remembers, until the transaction ends, which path the client came with. */
export const CLIENT_PATH = 'tenantry.client_path'

const FREE = 'tenantry_free'

/** The rows of one schema's ledger. */
export async function readLedger(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly LedgerRow[]> {
  const { rows } = await client.query<LedgerQueryRow>(
    `select id, name, hash from ${ledgerTable(schema)} order by id`,
  )
  return rows
}

/** The lock of who works on a schema outside of a transaction. */
export function aloneKey(schema: SchemaName): string {
  return quoteLiteral(lockKey('schema alone', schema))
}

/**
 * Enters the schema: its lock, the path, the ledger, in one round trip.
 *
 * @returns `false` when another runner is at work there outside of a transaction. To wait for it
 * inside one would block it: CREATE INDEX CONCURRENTLY waits for all older transactions.
 */
export async function enter(client: PoolClient, target: UnitTarget): Promise<boolean> {
  const answers: unknown = await client
    .query(enterText(target))
    .catch((error: unknown) => missing(error, target.schema))
  if (!Array.isArray(answers)) return false
  return answers.some((answer: QueryResult) => answer.rows[0]?.[FREE] === 'yes')
}

function enterText(target: UnitTarget): string {
  const { schema, path, createSchema, lockTimeoutMs, statementTimeoutMs, migrations } = target
  const ledger = migrations.find(({ id }) => id === 0)
  return [
    `set local lock_timeout = ${lockTimeoutMs}`,
    ...(statementTimeoutMs === undefined
      ? []
      : [`set local statement_timeout = ${statementTimeoutMs}`]),
    'set local client_min_messages = warning',
    `select pg_advisory_xact_lock(${quoteLiteral(lockKey('schema', schema))})`,
    `select case when pg_try_advisory_xact_lock(${aloneKey(schema)}) then 'yes' end as ${FREE}`,
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
