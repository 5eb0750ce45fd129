import { TenantryError } from '../errors.js'
import type { LedgerRow } from './ledger.js'
import type { Migration } from './source.js'

/**
 * The migrations that a schema still needs, in their order.
 *
 * @throws `MIGRATION_TAMPERED` when a migration was changed after it ran.
 * @throws `MIGRATION_UNKNOWN` when the schema has had a migration that the set does not have.
 * @throws `MIGRATION_OUT_OF_ORDER` when the schema lacks a migration older than its newest.
 */
export function pendingMigrations(
  schema: string,
  available: readonly Migration[],
  applied: readonly LedgerRow[],
): readonly Migration[] {
  const byId = new Map(available.map((migration) => [migration.id, migration]))
  for (const row of applied) checkApplied(schema, row, byId.get(row.id))
  const done = new Set(applied.map(({ id }) => id))
  const newest = Math.max(-1, ...done)
  const pending = available.filter(({ id }) => !done.has(id))
  const gap = pending.find(({ id }) => id < newest)
  if (gap !== undefined) throw outOfOrder(schema, gap, newest)
  return pending
}

function checkApplied(schema: string, row: LedgerRow, migration: Migration | undefined): void {
  if (migration === undefined) throw unknownMigration(schema, row)
  if (migration.hash !== row.hash) throw tampered(schema, migration)
}

function unknownMigration(schema: string, row: LedgerRow): TenantryError {
  return new TenantryError(
    'MIGRATION_UNKNOWN',
    `Schema "${schema}" has had migration ${row.id} (${row.name}), which this set does not have. ` +
      'Deploy the version of the service that brought it, or restore the file.',
    { schema, migration: row.name },
  )
}

function tampered(schema: string, { fileName, file }: Migration): TenantryError {
  return new TenantryError(
    'MIGRATION_TAMPERED',
    `${fileName} was changed after it ran in schema "${schema}". ` +
      'Restore the file as it was, and make the change in a new migration.',
    { schema, migration: fileName, ...(file !== undefined && { file }) },
  )
}

function outOfOrder(schema: string, { fileName }: Migration, newest: number): TenantryError {
  return new TenantryError(
    'MIGRATION_OUT_OF_ORDER',
    `Schema "${schema}" has had migration ${newest} but not the older ${fileName}. ` +
      'Migrations run in the order of their ids: correct the ledger or the set.',
    { schema, migration: fileName },
  )
}
