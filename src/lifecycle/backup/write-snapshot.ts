import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import type { LedgerRow } from '../../migration/ledger.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import type { Reference } from '../../migration/verify/reference.js'
import type { SchemaName } from '../../names/schema-name.js'
import { cancellable } from '../../postgres/cancellable.js'
import type { Database } from '../../postgres/database.js'
import { unlessAborted } from '../../support/abort.js'
import { inRowForm } from '../rows/row-form.js'
import { onSnapshot } from '../rows/source-snapshot.js'
import { withoutLedgerNote } from '../rows/structure-of.js'
import { writeWhole } from './archive-file.js'
import type { ArchiveHeader, FixedHeader } from './archive-record.js'
import { compress } from './compress.js'
import type { RowProgress } from './progress.js'
import type { ReadContent } from './read-content.js'
import { writeArchive } from './write-archive.js'

/** A schema of which an archive is written. */
export interface SnapshotJob<Found> {
  readonly schema: SchemaName
  /** What the ledger had when the schema was looked up. */
  readonly applied: readonly LedgerRow[]
  /** What the schema has to look like. */
  readonly reference: Reference
  readonly progress: RowProgress
  readonly lockTimeoutMs: number
  readonly signal: AbortSignal | undefined
  /** Looks whether the schema is still the one that was looked up. */
  readonly find: (client: PoolClient) => Promise<Found>
  /** Reads all but the rows. */
  readonly read: (
    client: PoolClient,
    found: Found,
  ) => Promise<ReadContent<ArchiveHeader | FixedHeader>>
  /** The error for a structure that migrations do not make. */
  readonly drifted: (differences: readonly string[]) => Error
}

/** Writes the archive of a schema as it is at one moment, to a file or a stream. */
export async function writeSnapshot<Found>(
  db: Database,
  job: SnapshotJob<Found>,
  target: string | Writable,
): Promise<void> {
  if (typeof target === 'string') await writeWhole(target, (file) => writeTo(db, job, file))
  else await writeTo(db, job, target)
}

async function writeTo<Found>(
  db: Database,
  job: SnapshotJob<Found>,
  target: Writable,
): Promise<void> {
  const { schema, applied, progress, lockTimeoutMs, signal } = job
  const held = { schema, hasLedger: applied.length > 0, lockTimeoutMs }
  const write = async (client: PoolClient): Promise<void> => {
    const found = await job.find(client)
    await client.query('set transaction read only')
    await inRowForm(client, async () => {
      const content = await job.read(client, found)
      requireStructure(job, content.header.structure)
      const archive = writeArchive(client, { ...content, schema, progress })
      await pipeline(compress(archive), target, signal ? { signal } : {})
    })
  }
  await unlessAborted(signal, () => onSnapshot(cancellable(db, signal), held, write))
}

/** The archive has no structure but the migrations: what they do not make would be lost. */
function requireStructure(
  { reference, drifted }: Pick<SnapshotJob<unknown>, 'reference' | 'drifted'>,
  structure: Reference['description'],
): void {
  const differences = diffSchemas(withoutLedgerNote(reference.description), structure)
  if (differences.length > 0) throw drifted(differences)
}
