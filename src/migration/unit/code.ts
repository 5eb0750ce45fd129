import type { PoolClient } from 'pg'
import { migrationFailed } from '../failure.js'
import { lendTransaction } from './lent-transaction.js'
import type { Migration, MigrationContext } from '../source.js'
import type { UnitTarget } from './unit-target.js'

/** Runs a migration that is written in code, in the transaction that is open on the client. */
export async function runCode(
  client: PoolClient,
  target: UnitTarget,
  migration: Migration,
): Promise<void> {
  const { schema, path, tenant, signal, kept } = target
  const context: MigrationContext = {
    schema,
    ...(tenant !== undefined && { tenant }),
    ...(signal && { signal }),
  }
  const { fileName } = migration
  const borrower = { name: fileName, facts: { schema, migration: fileName } }
  try {
    await lendTransaction(client, { path, borrower }, async (db) => migration.code?.up(db, context))
  } catch (error) {
    throw migrationFailed(schema, error, { place: { migration }, kept })
  }
}
