import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { memoryOf } from '../../postgres/session/client-memory.js'
import type { Database } from '../../postgres/database.js'
import { preludeOf } from '../../postgres/statement/prelude.js'
import { splitStatements } from '../../postgres/sql-text.js'
import { lineAt } from '../../support/line.js'
import type { Place } from './batch.js'
import { aloneKey, readLedger } from './enter.js'
import { migrationFailed } from '../failure.js'
import { readSurroundings, requireSameSurroundings } from '../guard/guard-alone.js'
import { ledgerText } from './segment.js'
import type { Migration } from '../source.js'
import { type Step, firstSegment, stepsTo } from '../step.js'
import type { UnitTarget } from './unit-target.js'
import { shortened } from './shortened.js'

const BUSY_WAIT_MS = 100

/**
 * Runs one migration outside of a transaction, statement by statement, with the path set for the
 * session; then notes it in the ledger, unless it has changed the path or another schema.
 *
 * @returns `false` when another runner was faster.
 */
export function runAlone(db: Database, target: UnitTarget, step: Step): Promise<boolean> {
  const { schema, path } = target
  return db.session(preludeOf(schema, path), async (client) => {
    await lock(client, target)
    try {
      const applied = await readLedger(client, schema)
      const { migrations, goal = { kind: 'up' } } = target
      const next = firstSegment(stepsTo(goal, schema, { migrations, applied }))?.steps[0]
      if (next?.migration.id !== step.migration.id || next.effect !== step.effect) return false
      const { migration } = step
      const before = await readSurroundings(client, target)
      await runStatements(client, target, migration)
      await requirePath(client, target, migration)
      await requireSameSurroundings(client, target, { migration, before })
      // One text is one transaction.
      await client.query(ledgerText(target, [step], applied))
      return true
    } finally {
      await client.query(`select pg_advisory_unlock(${aloneKey(schema)})`).catch(() => {})
    }
  })
}

/** Asks again and again: who waits for a lock has a snapshot, and others would wait for that. */
async function lock(client: PoolClient, { schema, signal }: UnitTarget): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ free: string | null }>(
      `select ${yesIf(`pg_try_advisory_lock(${aloneKey(schema)})`)} as free`,
    )
    if (isYes(rows[0]?.free)) return
    await delay(BUSY_WAIT_MS, undefined, signal && { signal })
  }
}

async function runStatements(
  client: PoolClient,
  { schema, kept }: UnitTarget,
  migration: Migration,
): Promise<void> {
  const { sql } = migration
  memoryOf(client).noteScript(sql)
  const run = async (statement: string, place: Place): Promise<void> => {
    try {
      await client.query(statement)
    } catch (error) {
      await client.query('rollback').catch(() => {})
      const invalid = await invalidIndexes(client, schema).catch(() => [])
      throw migrationFailed(schema, error, { place, kept, alone: true, invalid })
    }
  }
  for (const { start, end } of splitStatements(sql)) {
    const statement = sql.slice(start, end)
    const line = lineAt(sql, start)
    await run(statement, { migration, line, statement: shortened(statement) })
  }
  // A BEGIN may have been left open; without one this does nothing. The ledger is the runner's to
  // write, with its own rights.
  await run('commit; reset session authorization; reset role; discard temp', { migration })
}

async function invalidIndexes(client: PoolClient, schema: SchemaName): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname::text as name from pg_catalog.pg_index i
     join pg_catalog.pg_class c on c.oid = i.indexrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and not i.indisvalid order by 1`,
    [schema],
  )
  return rows.map(({ name }) => `${quoteIdent(schema)}.${quoteIdent(name)}`)
}

/** What ran after a change of the path is in another schema: then nothing is noted as done. */
async function requirePath(
  client: PoolClient,
  { schema, path }: UnitTarget,
  { fileName, file }: Migration,
): Promise<void> {
  const { rows } = await client.query<{ path: string }>(
    `select pg_catalog.current_setting('search_path') as path`,
  )
  if (rows[0]?.path === path) return
  throw new TenantryError(
    'MIGRATION_ESCAPED',
    `${fileName} changed the search_path while it ran outside of a transaction in schema ` +
      `"${schema}", so it is not known where its statements ran. It is not noted as done: look at ` +
      'what it did, and take the change of the path out of the file.',
    { schema, migration: fileName, ...(file !== undefined && { file }) },
  )
}
