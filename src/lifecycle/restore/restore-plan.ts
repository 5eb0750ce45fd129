import { checkExtensions } from '../../migration/extension-check.js'
import { installExtensions } from '../../migration/extensions.js'
import { bridgeOf, loadSets } from '../../migration/layout.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run-options.js'
import type { Migration } from '../../migration/source.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug, schemaOfSlug } from '../../names/slug.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { ArchiveHeader } from '../backup/archive-record.js'
import { type RowEvent, RowProgress } from '../backup/progress.js'
import type { LifecycleParts } from '../create.js'
import { requireFreeSchema } from '../free-schema.js'
import type { OpenArchive } from './read-archive.js'

/** How a tenant is restored. */
export interface RestoreOptions {
  /**
   * The slug that the tenant is to have. With another one than it had, its domains are left out.
   *
   * @defaultValue the slug that it had
   */
  readonly as?: string
  /**
   * Puts the archive in the place of a tenant that exists, whose former schema is kept under another
   * name. If it is not the tenant that was backed up, its slug has to be given by `as`.
   *
   * @defaultValue `false`
   */
  readonly replace?: boolean
  /**
   * How long to wait for migrations and for transactions of running scopes, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /** Is called for each table that is done, and in between for each 16 MB of a large one. */
  readonly onEvent?: (event: RowEvent) => void
  /** Stops the restore; then nothing was changed. */
  readonly signal?: AbortSignal
}

/** A restore that was found to be possible, as far as can be told without changing anything. */
export interface RestorePlan {
  readonly archive: OpenArchive
  readonly slug: Slug
  /** For a tenant that is not there yet. */
  readonly schema: SchemaName
  /** Whether the slug was given for this restore. */
  readonly isNamed: boolean
  /** All migrations, and those that the tenant had had. */
  readonly migrations: readonly Migration[]
  readonly had: readonly Migration[]
  readonly lockTimeoutMs: number
  readonly progress: RowProgress
  /** The id of the tenant whose move to this database begins with this restore. */
  readonly arriving?: string
}

/**
 * Looks whether an archive can be restored, before anything is changed.
 *
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`, `SCHEMA_EXISTS`, and what says that the migrations of the
 * archive are not those of this service
 */
export async function planOf(
  parts: LifecycleParts,
  archive: OpenArchive,
  { as, lockTimeout, onEvent }: RestoreOptions,
): Promise<RestorePlan> {
  const lockTimeoutMs = wholeNumber('lockTimeout', lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS, 1)
  const { layout, db, registry } = parts
  const { header } = archive
  const slug = parseSlug(as ?? header.tenant.slug)
  const schema = schemaFor(parts, slug, header)
  const owned = { schema, kind: 'tenant' as const }
  if (bridgeOf(layout, owned) !== undefined) throw bridged()
  const migrations = (await loadSets(layout))(owned)
  const pending = new Set(pendingMigrations(schema, migrations, header.ledger))
  const had = migrations.filter((migration) => !pending.has(migration))
  const uses = migrations.map((migration) => ({ migration, way: 'there' as const }))
  await checkExtensions(db, uses, { soon: layout.extensions?.create ?? [] })
  await registry.install(db)
  await installExtensions(db, layout.extensions)
  const progress = new RowProgress(onEvent)
  const isNamed = as !== undefined
  return { archive, slug, schema, isNamed, migrations, had, lockTimeoutMs, progress }
}

/** The schema has the name that it had, unless the tenant or the service has another one. */
function schemaFor({ layout }: LifecycleParts, slug: Slug, { tenant }: ArchiveHeader): SchemaName {
  const { prefix } = layout.tenants
  const isTheSame = slug === tenant.slug && tenant.schema.startsWith(prefix)
  if (!isTheSame) return schemaOfSlug(prefix, slug)
  return requireFreeSchema(layout, parseSchemaName(tenant.schema))
}

function bridged(): Error {
  return optionInvalid(
    'migrations',
    'An archive cannot be restored where another tool migrates the tenants: it decides by itself up ' +
      'to where it goes. Use pg_restore.',
  )
}
