import type { PoolClient, QueryResult } from 'pg'
import { TenantryError } from '../../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { lockKey } from '../../postgres/advisory-lock.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import { NOTE_HELD } from '../guard/guard.js'
import { type LedgerQueryRow, type LedgerRow, ledgerRow, ledgerTable } from '../ledger.js'
import type { UnitTarget } from './unit-target.js'

/** A setting that remembers, until the transaction ends, which path the client came with. */
const CLIENT_PATH = 'tenantry.client_path'

/** A migration may have changed the path of the session, which is the next borrower's. */
export const RESTORE_PATH: string = `select pg_catalog.set_config('search_path', current_setting('${CLIENT_PATH}'), false);`

/**
 * Has the server check now what it would check at the commit: the path is still the schema's, which
 * the functions of deferred triggers find their tables by, and what they do is seen by the guard.
 *
 * @see https://www.postgresql.org/docs/current/sql-set-constraints.html
 */
export const CHECK_DEFERRED = 'set constraints all immediate;'

const FREE = 'tenantry_free'

/** The rows of one schema's ledger. */
export async function readLedger(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly LedgerRow[]> {
  const { rows } = await client.query<LedgerQueryRow>(ledgerQuery(schema))
  return rows.map(ledgerRow)
}

function ledgerQuery(schema: SchemaName): string {
  return `select id, name, hash from ${ledgerTable(schema)} order by id`
}

/** The lock of who works on a schema in a transaction. */
export function schemaKey(schema: SchemaName): string {
  return quoteLiteral(schemaKeyOf(schema))
}

/** {@link schemaKey} as a value. */
export function schemaKeyOf(schema: string): string {
  return lockKey('schema', schema)
}

/** The lock of who works on a schema outside of a transaction. */
export function aloneKey(schema: SchemaName): string {
  return quoteLiteral(aloneKeyOf(schema))
}

/** {@link aloneKey} as a value. */
export function aloneKeyOf(schema: SchemaName): string {
  return lockKey('schema alone', schema)
}

/** What is found in a schema that was entered. */
export interface Entered {
  /**
   * `false` when another runner is at work there outside of a transaction. To wait for it inside one
   * would block it: CREATE INDEX CONCURRENTLY waits for all older transactions.
   */
  readonly isFree: boolean
  readonly applied: readonly LedgerRow[]
}

/**
 * Enters the schema: its lock, the path, the ledger, in one round trip.
 *
 * @param begin What opens the transaction, where the caller has not done so.
 */
export async function enter(
  client: PoolClient,
  target: UnitTarget,
  begin?: string,
): Promise<Entered> {
  // What the caller's own transaction has locked so far, a hook's table say, is no migration's doing.
  const first = begin ?? (target.guard && NOTE_HELD)
  const text = [...(first === undefined ? [] : [first]), ...enterTexts(target)].join(';\n')
  const answers: unknown = await client
    .query(text)
    .catch((error: unknown) => missing(error, target.schema))
  const results: readonly QueryResult[] = Array.isArray(answers) ? answers : []
  return {
    isFree: results.some(({ rows: [row] }) => isYes(row?.[FREE])),
    applied: target.migrations.length === 0 ? [] : (results.at(-1)?.rows ?? []).map(ledgerRow),
  }
}

function enterTexts(target: UnitTarget): readonly string[] {
  const { schema, path, createSchema, migrations } = target
  const ledger = migrations.find(({ id }) => id === 0)
  return [
    settingsText(target),
    `select pg_advisory_xact_lock(${schemaKey(schema)})`,
    `select ${yesIf(`pg_try_advisory_xact_lock(${aloneKey(schema)})`)} as ${FREE}`,
    ...(createSchema ? [`create schema if not exists ${quoteIdent(schema)}`] : []),
    `select set_config('search_path', ${quoteLiteral(path)}, true), ${quoteLiteral(quoteIdent(schema))}::regnamespace`,
    ...(ledger === undefined ? [] : [ledger.sql]),
    ...(migrations.length === 0 ? [] : [ledgerQuery(schema)]),
  ]
}

/** The text that sets what holds for the whole transaction. */
export function settingsText({ lockTimeoutMs, statementTimeoutMs }: UnitTarget): string {
  const settings = [
    ['lock_timeout', `'${lockTimeoutMs}'`],
    ['client_min_messages', `'warning'`],
    [CLIENT_PATH, `current_setting('search_path')`],
    ...(statementTimeoutMs === undefined ? [] : [['statement_timeout', `'${statementTimeoutMs}'`]]),
  ]
  return `select ${settings.map(([name, value]) => `set_config('${name}', ${value}, true)`).join(', ')}`
}

function missing(error: unknown, schema: SchemaName): never {
  if (sqlStateOf(error) !== SQL_STATE.invalidSchemaName) throw error
  throw new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${schema}" is registered but does not exist. Restore it from a backup ` +
      'with { replace: true }, or delete and purge the tenant.',
    { schema, cause: error },
  )
}
