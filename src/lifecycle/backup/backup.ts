import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { PoolClient } from 'pg'
import { readLedger } from '../../migration/enter.js'
import { bridgeOf, loadSets, pathOf } from '../../migration/layout.js'
import { type LedgerRow, digestOf, foreignLedger, readStates } from '../../migration/ledger.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run-options.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import type { Reference } from '../../migration/verify/reference.js'
import { tenantReference } from '../../migration/verify/tenant-reference.js'
import { parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import { cancellable } from '../../postgres/cancellable.js'
import type { Tenant } from '../../registry/tenant.js'
import { optionInvalid, refuseUnknown, wholeNumber } from '../../support/options.js'
import type { LifecycleParts } from '../create.js'
import { tenantNotFound } from '../not-found.js'
import { inRowForm } from '../rows/row-form.js'
import { withoutLedgerNote } from '../rows/structure-of.js'
import { onSnapshot } from '../rows/source-snapshot.js'
import { busy } from '../schema-lock.js'
import { requireNoPurge } from '../schema-mark.js'
import { schemaMissing } from '../standstill.js'
import { requireStatus } from '../status-change.js'
import { type MovedRows, toldRows } from '../told-change.js'
import { writeWhole } from './archive-file.js'
import { bridgedBackup, structureDiffers } from './backup-error.js'
import { type RowEvent, RowProgress } from './progress.js'
import { type BackupSource, readContent } from './read-content.js'
import { writeArchive } from './write-archive.js'

/** How a tenant is backed up. */
export interface BackupOptions {
  /**
   * How long to wait for migrations of the tenant, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /** Is called for each table that is done, and in between for each 16 MB of a large one. */
  readonly onEvent?: (event: RowEvent) => void
  /** Stops the backup; then a file is not there. */
  readonly signal?: AbortSignal
}

/** What was backed up. */
export interface BackupReport {
  readonly tenant: string
  readonly schema: string
  /** Id of the newest migration that the schema has had; 0 for none. */
  readonly version: number
  readonly tables: number
  readonly rows: number
  /** Of the rows, before they were compressed. */
  readonly bytes: number
}

const OPTIONS: readonly (keyof BackupOptions)[] = ['lockTimeout', 'onEvent', 'signal']

/** Writes an archive of one tenant. See `Tenants.backup`. */
export function backupTenant(
  parts: LifecycleParts,
  names: BackupNames,
  options: BackupOptions,
): Promise<BackupReport> {
  const turn = { action: 'backup', slug: names.tenant } as const
  return toldRows(turn, () => backUp(parts, names, options))
}

interface BackupNames {
  readonly tenant: string
  readonly target: string | Writable
}

async function backUp(
  parts: LifecycleParts,
  { tenant, target }: BackupNames,
  options: BackupOptions,
): Promise<MovedRows<BackupReport>> {
  refuseUnknown('', options, OPTIONS)
  if (typeof target !== 'string' && !(target instanceof Writable)) {
    throw optionInvalid('target', 'The target must be the path of a file, or a Writable.')
  }
  const lockTimeoutMs = wholeNumber(
    'lockTimeout',
    options.lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS,
    1,
  )
  const source = await findSource(parts, parseSlug(tenant))
  const { schema, applied } = source
  const owned = { schema, kind: 'tenant' as const }
  const reference = await tenantReference({ ...parts, lockTimeoutMs }, owned, applied)
  const progress = new RowProgress(options.onEvent)
  const job = { source, reference, progress, lockTimeoutMs, signal: options.signal }
  if (typeof target === 'string') await writeWhole(target, (file) => writeTo(parts, job, file))
  else await writeTo(parts, job, target)
  const version = Math.max(0, ...applied.map(({ id }) => id))
  const report = { tenant: source.slug, schema, version, ...progress.totals }
  return { tenant: source, report }
}

interface Job {
  readonly source: Source
  /** What the schema has to look like. */
  readonly reference: Reference
  readonly progress: RowProgress
  readonly lockTimeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Level 1 is some three times as fast as the default, for files that are a tenth larger. */
const COMPRESSION = { level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 }

async function writeTo(parts: LifecycleParts, job: Job, target: Writable): Promise<void> {
  const { source, progress, lockTimeoutMs, signal } = job
  const { schema, applied } = source
  const held = { schema, hasLedger: applied.length > 0, lockTimeoutMs }
  try {
    await onSnapshot(cancellable(parts.db, signal), held, async (client) => {
      const tenant = await requireUnmoved(parts, client, source)
      await client.query('set transaction read only')
      const path = pathOf(parts.layout, schema, 'tenant')
      await inRowForm(client, async () => {
        const content = await readContent(client, { ...source, tenant, path }, parts.registry)
        requireStructure(job, content.header.structure)
        const archive = writeArchive(client, { ...content, schema, progress })
        await pipeline(archive, createGzip(COMPRESSION), target, signal ? { signal } : {})
      })
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** The tenant as it was looked up before the transaction. */
interface Source extends Omit<BackupSource, 'tenant' | 'path'> {
  readonly id: string
  readonly slug: Slug
  readonly applied: readonly LedgerRow[]
}

async function findSource(parts: LifecycleParts, slug: Slug): Promise<Source> {
  const { layout, registry, db } = parts
  const tenant = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireStatus(tenant, 'backup')
  const schema = parseSchemaName(tenant.schema)
  const owned = { schema, kind: 'tenant' as const }
  if (bridgeOf(layout, owned) !== undefined) throw bridgedBackup(slug, schema)
  const migrations = (await loadSets(layout))(owned)
  const state = (await readStates(db, [{ schema, migrations }], true)).get(schema)
  if (state?.exists !== true) throw schemaMissing(schema)
  if (state.foreign === true) throw foreignLedger(schema)
  pendingMigrations(schema, migrations, state.applied)
  return { id: tenant.id, slug, schema, applied: state.applied }
}

/** The tenant may have been renamed, deleted or migrated before the snapshot was taken. */
async function requireUnmoved(
  { registry }: LifecycleParts,
  client: PoolClient,
  { slug, schema, applied }: Source,
): Promise<Tenant> {
  const now = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
  requireStatus(now, 'backup')
  if (now.schema !== schema) throw schemaMissing(schema)
  await requireNoPurge(client, schema)
  const rows = applied.length === 0 ? [] : await readLedger(client, schema)
  if (digestOf(rows) !== digestOf(applied)) throw busy(schema)
  return now
}

/** The archive has no structure but the migrations: what they do not make would be lost. */
function requireStructure({ source, reference }: Job, structure: Reference['description']): void {
  const differences = diffSchemas(withoutLedgerNote(reference.description), structure)
  if (differences.length > 0) throw structureDiffers(source.slug, source.schema, differences)
}
