import { Writable } from 'node:stream'
import { pathOf } from '../../migration/layout.js'
import { newestId } from '../../migration/ledger.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { tenantReference } from '../../migration/verify/tenant-reference.js'
import { parseSlug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import { optionInvalid, programPath, refuseUnknown, wholeNumber } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { type MovedRows, toldRows } from '../told-change.js'
import { structureDiffers } from './backup-error.js'
import { findSource, requireSameSource } from './backup-source.js'
import { type RowEvent, RowProgress } from './progress.js'
import type { ReferenceOf } from './remember-references.js'
import { readContent } from './read-content.js'
import { type SnapshotJob, writeSnapshot } from './write-snapshot.js'

/** How a tenant is backed up. */
export interface BackupOptions {
  /**
   * What makes the archive. `pg_dump` has the structure in it as well, so it takes a schema that is
   * not what its migrations make, and one that another tool migrates. It needs PostgreSQL's client
   * programs, at least as new as the server, and a path.
   *
   * @defaultValue `'built-in'`
   */
  readonly engine?: 'built-in' | 'pg_dump'
  /**
   * The path of the program, for the engine `pg_dump`.
   *
   * @defaultValue the one on the `PATH`
   */
  readonly pgDump?: string
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
  /** Of the rows, before they were compressed; with `pg_dump` those of its file. */
  readonly bytes: number
}

const OPTIONS: readonly (keyof BackupOptions)[] = [
  'engine',
  'pgDump',
  'lockTimeout',
  'onEvent',
  'signal',
]

/** Which tenant is backed up, and where to. */
export interface BackupOrder {
  readonly tenant: string
  readonly target: string | Writable
  /** What a schema has to look like that has had some migrations. */
  readonly referenceOf?: ReferenceOf
}

/** Writes an archive of one tenant. See `Tenants.backup`. */
export function backupTenant(
  parts: LifecycleParts,
  names: BackupOrder,
  options: BackupOptions,
): Promise<BackupReport> {
  const turn = { action: 'backup', slug: names.tenant } as const
  return toldRows(turn, () => backUp(parts, names, options))
}

async function backUp(
  parts: LifecycleParts,
  { tenant, target, referenceOf = tenantReference }: BackupOrder,
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
  const engine = engineOf(options, target)
  const source = await findSource(parts, parseSlug(tenant), engine.name)
  const { schema, applied } = source
  const { signal } = options
  const progress = new RowProgress(options.onEvent)
  const version = newestId(applied)
  const report = { tenant: source.slug, schema, version }
  if (engine.name === 'pg_dump') {
    const { backUpByDump } = await import('../pg-dump/backup-dump.js')
    const order = { ...engine, source, progress, lockTimeoutMs, signal }
    return { tenant: source, report: { ...report, ...(await backUpByDump(parts, order)) } }
  }
  const owned = { schema, kind: 'tenant' as const }
  const reference = await referenceOf({ ...parts, lockTimeoutMs }, owned, applied)
  const path = pathOf(parts.layout, schema, 'tenant')
  const job: SnapshotJob<Tenant> = {
    schema,
    applied,
    reference,
    progress,
    lockTimeoutMs,
    signal,
    find: (client) => requireSameSource(parts, client, source),
    read: (client, found) =>
      readContent(client, { ...source, tenant: found, path }, parts.registry),
    drifted: (differences) => structureDiffers(schema, differences, source.slug),
  }
  await writeSnapshot(parts.db, job, target)
  return { tenant: source, report: { ...report, ...progress.totals } }
}

type Engine =
  | { readonly name: 'built-in' }
  | { readonly name: 'pg_dump'; readonly program: string; readonly target: string }

function engineOf(options: BackupOptions, target: string | Writable): Engine {
  const { engine = 'built-in', pgDump } = options
  if (engine === 'built-in') {
    if (pgDump === undefined) return { name: engine }
    throw optionInvalid('pgDump', `Option "pgDump" is for { engine: 'pg_dump' } only.`)
  }
  if (engine !== 'pg_dump') {
    throw optionInvalid('engine', `Option "engine" must be 'built-in' or 'pg_dump'.`)
  }
  if (typeof target !== 'string') {
    throw optionInvalid(
      'target',
      'pg_dump writes to the path of a file only, and a second file is written beside it. For a ' +
        'stream use the engine that is built in.',
    )
  }
  return { name: engine, program: programPath('pgDump', pgDump ?? 'pg_dump'), target }
}
