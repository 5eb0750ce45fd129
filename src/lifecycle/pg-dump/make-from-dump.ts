import type { PoolClient } from 'pg'
import { foreignLedger, readStates } from '../../migration/ledger.js'
import { unitHooks } from '../../migration/migrate-hooks.js'
import { pendingMigrations } from '../../migration/plan.js'
import type { CatalogItem } from '../../migration/verify/describe.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import type { SchemaName } from '../../names/schema-name.js'
import type { LifecycleParts } from '../create/create.js'
import type { HookPlace } from '../hooks.js'
import { restoreDiffers } from '../restore/archive-error.js'
import type { RestoredPlace } from '../restore/restore-plan.js'
import { readCopyCatalog } from '../rows/copy-catalog.js'
import { inRowForm } from '../rows/row-form.js'
import { rowSums } from '../rows/row-sum.js'
import { structureOf } from '../rows/structure-of.js'
import { migrateNew } from '../create/structure.js'
import { playAs } from './play-as.js'
import type { DumpPlan } from './restore-dump.js'
import { present } from '../../support/present.js'
import { setLocalPath } from '../../postgres/local-path.js'

/**
 * Makes the schema of a tenant from an archive of `pg_dump`, compares it with what was written beside
 * the archive, and brings it up to date, in the caller's transaction.
 *
 * What hooks and migrations did is in the archive, so only those that come now are called and run.
 *
 * @returns The file names of the migrations that came now.
 * @throws `RESTORE_DIFFERS`, `RENAME_UNSAFE`, and what a migration throws
 */
export async function makeFromDump(
  parts: LifecycleParts,
  { client, tenant, path }: HookPlace,
  plan: DumpPlan & RestoredPlace,
): Promise<readonly string[]> {
  const { dumped, schema, slug, migrations, locked = [] } = plan
  await inRowForm(client, async () => {
    const { program, file, progress, signal, lockTimeoutMs } = plan
    const script = { program, file, schema: dumped, progress, signal }
    await playAs(client, script, { schema, path: plan.path, lockTimeoutMs })
    await requireRows(client, plan, path)
  })
  await requireParts(client, plan)
  const pending = await pendingOf(client, plan)
  if (pending.length === 0) return []
  const owned = { schema, kind: 'tenant', tenant } as const
  const hooks = unitHooks(parts.hooks, { schema: owned, path, direction: 'up' })
  const allow = [...locked, ...(dumped === schema ? [] : [dumped])]
  await migrateNew(client, parts.layout, { schema, slug, migrations, allow, hooks })
  return pending
}

async function requireRows(
  client: PoolClient,
  { slug, schema, sidecar, progress }: DumpPlan,
  path: string,
): Promise<void> {
  const { tables } = await readCopyCatalog(client, schema)
  // Names in values are as short as they were when the sums were made.
  await setLocalPath(client, path)
  const sums = await rowSums(client, schema, tables)
  for (const [table, sum] of sums) progress.done(table, sum)
  if (sidecar === undefined) return
  const names = new Set([...sums.keys(), ...Object.keys(sidecar.sums)])
  const differing = [...names].filter((name) => sums.get(name) !== sidecar.sums[name])
  if (differing.length === 0) return
  const candidates = differing.map((name) => `table ${name}`)
  throw restoreDiffers(
    { tenant: slug, schema },
    'its rows are not those that were backed up',
    candidates,
  )
}

/**
 * Nothing of the schema may be missing. Definitions are not compared: the server shows some of them
 * in other words after they have gone through `pg_dump`.
 */
async function requireParts(
  client: PoolClient,
  { slug, schema, sidecar }: DumpPlan,
): Promise<void> {
  if (sidecar === undefined) return
  const { structure } = sidecar.header
  const differences = diffSchemas(namesIn(structure), namesIn(await structureOf(client, schema)))
  if (differences.length === 0) return
  throw restoreDiffers(
    { tenant: slug, schema },
    'its structure is not what was backed up',
    differences,
  )
}

function namesIn(items: readonly CatalogItem[]): readonly CatalogItem[] {
  return items.map((item) => ({ ...item, detail: '' }))
}

/** The file names of migrations that the schema has not had, by its own ledger. */
async function pendingOf(
  client: PoolClient,
  {
    schema,
    migrations,
    isBridged,
  }: Pick<DumpPlan, 'migrations' | 'isBridged'> & {
    readonly schema: SchemaName
  },
): Promise<readonly string[]> {
  if (isBridged) return []
  const states = await readStates(client, [{ schema, migrations }], true)
  const { foreign, applied } = present(states.get(schema))
  if (foreign === true) throw foreignLedger(schema)
  const pending = pendingMigrations(schema, migrations, applied)
  return pending.filter(({ id }) => id > 0).map(({ fileName }) => fileName)
}
