import { Readable } from 'node:stream'
import { cancellable } from '../../postgres/cancellable.js'
import type { Tenant, TenantMetadata } from '../../registry/tenant.js'
import { unlessAborted } from '../../support/abort.js'
import { flag, optionInvalid, programPath, refuseUnknown } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { makeContents } from './make-contents.js'
import { isDump } from './is-dump.js'
import { toldRows } from '../told-change.js'
import { type OpenArchive, withArchive } from './read-archive.js'
import { replaceTenant } from './replace-tenant.js'
import { restoreNew } from './restore-new.js'
import { type MakeRestored, type RestoreOptions, planOf } from './restore-plan.js'

/** What was restored. */
export interface RestoreReport<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  /** The schema of the tenant that was replaced, if it was still there. */
  readonly former?: string
  /** File names of the migrations that came after the backup, and have been applied now. */
  readonly migrated: readonly string[]
  /**
   * Whether structure and rows were compared with what was backed up. What `pg_dump` alone has
   * written says nothing of that.
   */
  readonly verified: boolean
  readonly tables: number
  readonly rows: number
  /** Of the rows, before they were compressed. */
  readonly bytes: number
}

const OPTIONS: readonly (keyof RestoreOptions)[] = [
  'as',
  'replace',
  'pgRestore',
  'lockTimeout',
  'onEvent',
  'signal',
]

/** Restores a tenant from an archive. See `Tenants.restore`. */
export async function restoreTenant(
  given: LifecycleParts,
  source: string | Readable,
  options: RestoreOptions,
): Promise<RestoreReport> {
  refuseUnknown('', options, OPTIONS)
  if (typeof source !== 'string' && !(source instanceof Readable)) {
    throw optionInvalid('source', 'The source must be the path of an archive, or a Readable.')
  }
  const replace = flag('replace', options.replace ?? false)
  const pgRestore = programPath('pgRestore', options.pgRestore ?? 'pg_restore')
  const { signal } = options
  const parts = { ...given, db: cancellable(given.db, signal) }
  return unlessAborted(signal, async () => {
    if (typeof source === 'string' && (await isDump(source))) {
      const { restoreDump } = await import('../pg-dump/restore-dump.js')
      return restoreDump(parts, source, { ...options, replace, pgRestore })
    }
    return withArchive(source, (archive) => restoreArchive(parts, archive, { ...options, replace }))
  })
}

async function restoreArchive(
  parts: LifecycleParts,
  archive: OpenArchive,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const plan = await planOf(parts, archive, options)
  const make: MakeRestored = (place, target) => makeContents(parts, place, { ...plan, ...target })
  const work = options.replace === true ? replaceTenant : restoreNew
  return toldRows({ action: 'restore', slug: plan.slug }, async () => {
    const restored = await work(parts, plan, make)
    const pending = plan.migrations.filter((migration) => !plan.had.includes(migration))
    const migrated = pending.map(({ fileName }) => fileName)
    const report = { ...restored, migrated, verified: true, ...plan.progress.totals }
    return { tenant: restored.tenant, report }
  })
}
