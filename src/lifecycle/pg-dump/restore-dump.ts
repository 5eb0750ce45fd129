import { bridgeOf, loadSets, pathOf } from '../../migration/layout.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { Migration } from '../../migration/source.js'
import type { SchemaName } from '../../names/schema-name.js'
import { parseSlug, schemaOfSlug } from '../../names/slug.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import { BrokenArchive } from '../backup/archive-frame.js'
import type { ArchiveHeader } from '../backup/archive-record.js'
import { digestOfFile } from '../backup/file-digest.js'
import { RowProgress } from '../backup/progress.js'
import type { LifecycleParts } from '../create/create.js'
import { requireFreeSchema } from '../create/free-schema.js'
import { toldRows } from '../told-change.js'
import { explainArchive } from '../restore/archive-error.js'
import { replaceTenant } from '../restore/replace-tenant.js'
import type { RestoreReport } from '../restore/restore.js'
import { restoreNew } from '../restore/restore-new.js'
import {
  type RestoreOptions,
  type RestoreOrder,
  prepareRestore,
  schemaFor,
} from '../restore/restore-plan.js'
import { schemaOfDump } from './dump-contents.js'
import { makeFromDump } from './make-from-dump.js'
import { ProgramFailed } from './program.js'
import { type Sidecar, readSidecar } from './sidecar.js'

/** How an archive of `pg_dump` is restored. */
export type DumpOptions = Omit<RestoreOptions, 'replace' | 'pgRestore'> & {
  readonly replace: boolean
  readonly pgRestore: string
}

/** A restore from an archive of `pg_dump`. */
export interface DumpPlan extends RestoreOrder {
  readonly file: string
  readonly program: string
  /** The name that the schema has in the archive. */
  readonly dumped: SchemaName
  readonly path: string
  readonly sidecar: Sidecar | undefined
  /** Nothing where another tool migrates. */
  readonly migrations: readonly Migration[]
  readonly isBridged: boolean
  readonly progress: RowProgress
  readonly signal: AbortSignal | undefined
}

/** Restores a tenant from an archive of `pg_dump`, with or without what was written beside it. */
export async function restoreDump(
  parts: LifecycleParts,
  file: string,
  options: DumpOptions,
): Promise<RestoreReport> {
  try {
    const plan = await planOfDump(parts, file, options)
    const work = options.replace ? replaceTenant : restoreNew
    return await toldRows({ action: 'restore', slug: plan.slug }, async () => {
      const migrated: string[] = []
      const restored = await work(parts, plan, async (place, target) => {
        const applied = await makeFromDump(parts, place, { ...plan, ...target })
        migrated.push(...applied)
      })
      const verified = plan.sidecar !== undefined
      const report = { ...restored, migrated, verified, ...plan.progress.totals }
      return { tenant: restored.tenant, report }
    })
  } catch (error) {
    const isBroken = error instanceof ProgramFailed
    throw explainArchive(
      isBroken ? new BrokenArchive(error.message, { cause: error }) : error,
      file,
    )
  }
}

async function planOfDump(
  parts: LifecycleParts,
  file: string,
  options: DumpOptions,
): Promise<DumpPlan> {
  const { as, onEvent, pgRestore, signal } = options
  const lockTimeoutMs = lockTimeoutOf(options)
  const sidecar = await sidecarFor(file, signal)
  const slug = parseSlug(as ?? sidecar?.header.tenant.slug ?? slugMissing(file))
  const dumped = requireFreeSchema(parts.layout, await schemaOfDump(pgRestore, file, signal))
  const wanted = wantedSchema(parts, { slug, dumped, sidecar })
  const content = await contentOf(parts, wanted.schema, sidecar)
  return {
    ...wanted,
    ...content,
    slug,
    dumped,
    sidecar,
    file,
    program: pgRestore,
    path: pathOf(parts.layout, dumped, 'tenant'),
    isNamed: as !== undefined,
    lockTimeoutMs,
    progress: new RowProgress(onEvent),
    signal,
  }
}

function lockTimeoutOf({ lockTimeout }: DumpOptions): number {
  return wholeNumber('lockTimeout', lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS, 1)
}

/** Who the tenant is, and the schema that it gets if it is not there. */
function wantedSchema(
  parts: LifecycleParts,
  { slug, dumped, sidecar }: Pick<DumpPlan, 'slug' | 'dumped' | 'sidecar'>,
): Pick<DumpPlan, 'archive' | 'schema'> {
  if (sidecar === undefined) {
    const schema = schemaOfSlug(parts.layout.tenants.prefix, slug)
    return { archive: { header: headerOf(slug, dumped) }, schema }
  }
  const { header } = sidecar
  if (header.tenant.schema !== dumped) throw new BrokenArchive('its sidecar is of another schema')
  return { archive: { header }, schema: schemaFor(parts, slug, header) }
}

/** The migrations that the schema is to have; another tool's are run by the next `up`. */
async function contentOf(
  parts: LifecycleParts,
  schema: SchemaName,
  sidecar: Sidecar | undefined,
): Promise<Pick<DumpPlan, 'migrations' | 'isBridged'>> {
  const owned = { schema, kind: 'tenant' as const }
  const isBridged = bridgeOf(parts.layout, owned) !== undefined
  const migrations = isBridged ? [] : (await loadSets(parts.layout))(owned)
  if (sidecar !== undefined && !isBridged) {
    pendingMigrations(schema, migrations, sidecar.header.ledger)
  }
  await prepareRestore(parts, migrations)
  return { migrations, isBridged }
}

async function sidecarFor(
  file: string,
  signal: AbortSignal | undefined,
): Promise<Sidecar | undefined> {
  const sidecar = await readSidecar(file)
  if (sidecar === undefined) return undefined
  const { sha256 } = await digestOfFile(file, signal)
  if (sha256 !== sidecar.sha256) throw new BrokenArchive('it is not the file that was written')
  return sidecar
}

/** What there is to say of a tenant that is known by its slug alone. */
function headerOf(slug: string, schema: string): Pick<ArchiveHeader, 'tenant' | 'domains'> {
  const tenant = { id: '', slug, name: slug, schema, status: 'active' as const, metadata: {} }
  return { tenant, domains: [] }
}

function slugMissing(file: string): never {
  throw optionInvalid(
    'as',
    `Beside "${file}" is no "${file}.json" with the tenant's slug. Put it there if the archive was ` +
      `made by tenants.backup(), or say who it is to be: { as: 'acme' }.`,
  )
}
