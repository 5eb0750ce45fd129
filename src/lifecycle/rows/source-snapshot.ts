import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { aloneKey, schemaKey } from '../../migration/unit/enter.js'
import { ledgerTable } from '../../migration/ledger.js'
import type { SchemaName } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { Database } from '../../postgres/database.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import { busy } from '../schema-lock.js'

/** A schema that is read, and how long to wait until nobody migrates it, in milliseconds. */
export interface SnapshotSource {
  readonly schema: SchemaName
  /** Whether it has a ledger, which migrations write to. */
  readonly hasLedger: boolean
  readonly lockTimeoutMs: number
}

const RETRY_MS = 50

class SourceInUse extends Error {}

/**
 * Runs `work` in a transaction that sees the source as it was at one moment, between two migrations.
 *
 * A snapshot is taken by the first query, so it must not be older than the lock: a wait for the
 * lock inside of the transaction would show the schema before the migration that it has waited for.
 * LOCK TABLE takes no snapshot; the advisory lock is only tried, and where somebody has it, all is
 * begun again.
 *
 * @throws `TENANT_BUSY`, and what `work` throws
 * @see https://www.postgresql.org/docs/current/sql-lock.html
 */
export async function onSnapshot<R>(
  db: Database,
  source: SnapshotSource,
  work: (client: PoolClient) => Promise<R>,
): Promise<R> {
  const end = performance.now() + source.lockTimeoutMs
  for (;;) {
    try {
      return await db.transaction(async (client) => {
        await take(client, source)
        return work(client)
      })
    } catch (error) {
      if (!(error instanceof SourceInUse)) throw error
      if (performance.now() > end) throw busy(source.schema, error.cause)
      await delay(RETRY_MS)
    }
  }
}

async function take(
  client: PoolClient,
  { schema, hasLedger, lockTimeoutMs }: SnapshotSource,
): Promise<void> {
  await client.query(`set transaction isolation level repeatable read`)
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
  if (hasLedger) {
    await client.query(`lock table ${ledgerTable(schema)} in share mode`).catch(explain)
  }
  const free = `pg_try_advisory_xact_lock_shared(${schemaKey(schema)})
    and pg_try_advisory_xact_lock_shared(${aloneKey(schema)})`
  const { rows } = await client.query<{ free: string | null }>(`select ${yesIf(free)} as free`)
  if (!isYes(rows[0]?.free)) throw new SourceInUse()
}

function explain(error: unknown): never {
  if (sqlStateOf(error) !== SQL_STATE.lockNotAvailable) throw error
  throw new SourceInUse('The ledger is being written.', { cause: error })
}
