import { checkExtensions } from '../../migration/extensions/extension-check.js'
import { installExtensions } from '../../migration/extensions/extensions.js'
import { bridgeOf, loadSets } from '../../migration/layout.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { Migration } from '../../migration/source.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug, schemaOfSlug } from '../../names/slug.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { ArchiveHeader } from '../backup/archive-record.js'
import { type RowEvent, RowProgress } from '../backup/progress.js'
import type { LifecycleParts } from '../create/create.js'
import { requireFreeSchema } from '../create/free-schema.js'
import type { HookPlace } from '../hooks.js'
import type { OpenArchive } from './read-archive.js'

/** How a tenant is restored. */
export interface RestoreOptions {
  /**
   * The slug that the tenant is to have. With another one than it had, its domains are left out.
   *
   * @defaultValue the slug that it had; an archive of `pg_dump` that another program than this
   * package has made knows none
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
   * The path of the program that reads an archive of `pg_dump`.
   *
   * @defaultValue the `pg_restore` on the `PATH`
   */
  readonly pgRestore?: string
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
export interface RestorePlan extends RestoreOrder {
  readonly archive: OpenArchive
  /** All migrations, and those that the tenant had had. */
  readonly migrations: readonly Migration[]
  readonly had: readonly Migration[]
  readonly progress: RowProgress
}

/** What is restored, whatever the form of its archive. */
export interface RestoreOrder {
  readonly archive: { readonly header: Pick<ArchiveHeader, 'tenant' | 'domains'> }
  readonly slug: Slug
  /** For a tenant that is not there yet. */
  readonly schema: SchemaName
  /** Whether the slug was given for this restore. */
  readonly isNamed: boolean
  readonly lockTimeoutMs: number
  /** The id of the tenant whose move to this database begins with this restore. */
  readonly arriving?: string
}

/** The schema that is to be made. */
export interface RestoredPlace {
  readonly schema: SchemaName
  /** Other schemas that the transaction has locked before. */
  readonly locked?: readonly SchemaName[]
}

/** Makes the schema of a tenant with all that is in it, in the transaction that has its row. */
export type MakeRestored = (place: HookPlace, target: RestoredPlace) => Promise<void>

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
  const { layout } = parts
  const { header } = archive
  const slug = parseSlug(as ?? header.tenant.slug)
  const schema = schemaFor(parts, slug, header)
  const owned = { schema, kind: 'tenant' as const }
  if (bridgeOf(layout, owned) !== undefined) throw bridged()
  const migrations = (await loadSets(layout))(owned)
  const pending = new Set(pendingMigrations(schema, migrations, header.ledger))
  const had = migrations.filter((migration) => !pending.has(migration))
  await prepareRestore(parts, migrations)
  const progress = new RowProgress(onEvent)
  const isNamed = as !== undefined
  return { archive, slug, schema, isNamed, migrations, had, lockTimeoutMs, progress }
}

/** Makes what all tenants need, and refuses migrations that cannot be run. */
export async function prepareRestore(
  { layout, db, registry }: LifecycleParts,
  migrations: readonly Migration[],
): Promise<void> {
  const uses = migrations.map((migration) => ({ migration, way: 'there' as const }))
  await checkExtensions(db, uses, { soon: layout.extensions?.create ?? [] })
  await registry.install(db)
  await installExtensions(db, layout.extensions)
}

/** The schema has the name that it had, unless the tenant or the service has another one. */
export function schemaFor(
  { layout }: LifecycleParts,
  slug: Slug,
  { tenant }: Pick<ArchiveHeader, 'tenant'>,
): SchemaName {
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
