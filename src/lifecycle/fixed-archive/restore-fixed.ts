import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { bridgeOf, loadSets, pathOf } from '../../migration/layout.js'
import { unitHooks } from '../../migration/migrate-hooks.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { Migration } from '../../migration/source.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { cancellable } from '../../postgres/cancellable.js'
import { unlessAborted } from '../../support/abort.js'
import { optionInvalid } from '../../support/options.js'
import type { FixedHeader, FixedKind } from '../backup/archive-record.js'
import { RowProgress } from '../backup/progress.js'
import type { LifecycleParts } from '../create/create.js'
import type { OneOptions } from '../fleet-backup/fleet-run.js'
import { loadRows } from '../restore/load-rows.js'
import { type OpenArchive, withFixedArchive } from '../restore/read-archive.js'
import { prepareRestore } from '../restore/restore-plan.js'
import { holdSchemas } from '../schema-lock.js'
import { migrateNew } from '../create/structure.js'
import { readForeignTables } from './foreign-tables.js'

/**
 * Restores a shared or a static schema that has not been migrated yet, in one transaction: the
 * migrations that it had had, its rows, and then the other migrations.
 *
 * @throws `ARCHIVE_INVALID`, `ARCHIVE_NEWER`, `OPTIONS_INVALID`, `SCHEMA_EXISTS`, `RESTORE_DIFFERS`,
 * `TENANT_BUSY`, and what migrations throw; then nothing was changed
 */
export async function restoreFixed(
  given: LifecycleParts,
  source: string,
  { lockTimeout: lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, signal }: OneOptions,
): Promise<void> {
  const parts = { ...given, db: cancellable(given.db, signal) }
  await unlessAborted(signal, () =>
    withFixedArchive(source, async (archive) => {
      const owned = schemaOf(parts, archive.header)
      const migrations = (await loadSets(parts.layout))(owned)
      await prepareRestore(parts, migrations)
      await parts.db.transaction(async (client) => {
        await holdSchemas(client, { schemas: [owned.schema], lockTimeoutMs })
        await requireNew(client, owned.schema, archive.header)
        await makeFixed(parts, client, { owned, archive, migrations })
      })
    }),
  )
}

interface Owned {
  readonly schema: SchemaName
  readonly kind: FixedKind
}

/** The schema of the router that an archive is of. */
function schemaOf({ layout }: LifecycleParts, { fixed: { kind, schema } }: FixedHeader): Owned {
  const names = kind === 'shared' ? [layout.shared.schema] : [...layout.static.keys()]
  const name = names.find((each) => each === schema)
  const owned = name === undefined ? undefined : { schema: name, kind }
  if (owned !== undefined && bridgeOf(layout, owned) === undefined) return owned
  throw optionInvalid(
    'schemas',
    `The archive is of the ${kind} schema "${schema}", and this router ` +
      (owned === undefined ? 'has no such schema' : 'has another tool migrate it') +
      '. Nothing was changed. Give the router the schemas and migrations of the one that was backed up.',
  )
}

interface FixedContents {
  readonly owned: Owned
  readonly archive: OpenArchive<FixedHeader>
  readonly migrations: readonly Migration[]
}

async function makeFixed(
  parts: LifecycleParts,
  client: PoolClient,
  { owned, archive, migrations }: FixedContents,
): Promise<void> {
  const { layout, hooks } = parts
  const { schema, kind } = owned
  const path = pathOf(layout, schema, kind)
  const pending = new Set(pendingMigrations(schema, migrations, archive.header.ledger))
  const had = migrations.filter((migration) => !pending.has(migration))
  const itsHooks = unitHooks(hooks, { schema: owned, path, direction: 'up' })
  await client.query(`create schema if not exists ${quoteIdent(schema)}`)
  // What comes after those migrations has been done once, and is in the archive.
  await itsHooks?.before(client)
  await migrateNew(client, layout, { schema, kind, migrations: had })
  const { oids: except } = await readForeignTables(client, parts, schema)
  await loadRows(client, { schema, path, archive, except, progress: new RowProgress() })
  if (pending.size > 0)
    await migrateNew(client, layout, { schema, kind, migrations, hooks: itsHooks })
}

/** Rows that are there are somebody's. @throws `SCHEMA_EXISTS` */
async function requireNew(
  client: PoolClient,
  schema: SchemaName,
  { tables }: FixedHeader,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select relname::text as name from pg_catalog.pg_class
     where relnamespace = to_regnamespace($1) and relname = any ($2::text[]) order by relname limit 1`,
    [quoteIdent(schema), ['migrations', ...tables.map(({ name }) => name)]],
  )
  const [found] = rows
  if (found === undefined) return
  throw new TenantryError(
    'SCHEMA_EXISTS',
    `Schema "${schema}" was not restored, because it has been migrated already: it has a table ` +
      `"${found.name}". Nothing was changed. Restore into a database that has had no migrations, ` +
      'drop what is in the schema, or leave it as it is by "skipExisting".',
    { schema },
  )
}
