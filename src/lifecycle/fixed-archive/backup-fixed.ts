import { pathOf } from '../../migration/layout.js'
import { foreignLedger, newestId } from '../../migration/ledger.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { SchemaName } from '../../names/schema-name.js'
import { optionInvalid } from '../../support/options.js'
import type { FixedKind } from '../backup/archive-record.js'
import { structureDiffers } from '../backup/backup-error.js'
import { RowProgress, type RowTotals } from '../backup/progress.js'
import { readSchema } from '../backup/read-content.js'
import type { ReferenceOf } from '../backup/remember-references.js'
import { type SnapshotJob, writeSnapshot } from '../backup/write-snapshot.js'
import type { LifecycleParts } from '../create/create.js'
import type { OneOptions } from '../fleet-backup/fleet-run.js'
import { requireSameLedger } from '../source-tenant.js'
import type { FixedSource } from './fixed-source.js'
import { readForeignTables } from './foreign-tables.js'

/** What was backed up of a schema that belongs to no tenant. */
export interface FixedReport extends RowTotals {
  readonly schema: string
  readonly kind: FixedKind
  /** Id of the newest migration that the schema has had; 0 for none. */
  readonly version: number
}

/** Which schema is backed up, and where to. */
interface FixedOrder {
  readonly source: FixedSource
  readonly target: string
  /** What a schema has to look like that has had some migrations. */
  readonly referenceOf: ReferenceOf
}

/**
 * Writes an archive of a shared or a static schema, as of a tenant; the registry's rows are in no
 * archive but those of the tenants.
 *
 * @throws `SCHEMA_DRIFT`, `TENANT_BUSY`, `OPTIONS_INVALID` for foreign keys to the registry, and what
 * says that the ledger is not that of these migrations
 */
export async function backupFixed(
  parts: LifecycleParts,
  { source, target, referenceOf }: FixedOrder,
  { lockTimeout: lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, signal }: OneOptions,
): Promise<FixedReport> {
  const { schema, kind, migrations, state } = source
  const { applied } = state
  if (state.foreign === true) throw foreignLedger(schema)
  pendingMigrations(schema, migrations, applied)
  const progress = new RowProgress()
  const reference = await referenceOf({ ...parts, lockTimeoutMs }, { schema, kind }, applied)
  const path = pathOf(parts.layout, schema, kind)
  const job: SnapshotJob<void> = {
    schema,
    applied,
    reference,
    progress,
    lockTimeoutMs,
    signal,
    find: (client) => requireSameLedger(client, schema, applied),
    read: async (client) => {
      const { oids, keys } = await readForeignTables(client, parts, schema)
      if (keys.length > 0) throw boundToRegistry(schema, keys)
      const { header, ...content } = await readSchema(client, {
        schema,
        path,
        applied,
        except: oids,
      })
      return { ...content, header: { ...header, fixed: { schema, kind } } }
    },
    drifted: (differences) => structureDiffers(schema, differences),
  }
  await writeSnapshot(parts.db, job, target)
  const version = newestId(applied)
  return { schema, kind, version, ...progress.totals }
}

/** Its rows could not come back: those of the registry come after them, and with other ids. */
function boundToRegistry(schema: SchemaName, keys: readonly string[]): Error {
  return optionInvalid(
    'select',
    `Schema "${schema}" was not backed up, because foreign keys bind its rows to those of the ` +
      `registry, which come back with the tenants: ${keys.join(', ')}. Leave the schema out by ` +
      '"exclude", or by -x, and dump it together with the registry by pg_dump.',
  )
}
