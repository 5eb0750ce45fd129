import { unitHooks } from '../../migration/migrate-hooks.js'
import type { LifecycleParts } from '../create/create.js'
import { type HookPlace, runHook, runMigrateHook } from '../hooks.js'
import { createSchema, migrateNew } from '../create/structure.js'
import { loadRows } from './load-rows.js'
import type { RestorePlan, RestoredPlace } from './restore-plan.js'

/** What a schema is made of that is restored. */
export interface RestoredContents
  extends
    RestoredPlace,
    Pick<RestorePlan, 'archive' | 'slug' | 'migrations' | 'had' | 'progress'> {}

/**
 * Makes the schema of a tenant as it was backed up, and then brings it up to date, in the caller's
 * transaction.
 *
 * The structure may need what hooks do before it. What they do after it has been done for this
 * tenant once, and its rows are in the archive.
 */
export async function makeContents(
  { layout, hooks }: LifecycleParts,
  place: HookPlace,
  { archive, slug, schema, migrations, had, progress, locked }: RestoredContents,
): Promise<void> {
  const { client, tenant, path } = place
  await createSchema(client, schema)
  await runHook(hooks, 'beforeCreate', place)
  await runMigrateHook(hooks, 'before', place)
  await migrateNew(client, layout, { schema, slug, migrations: had, allow: locked })
  await loadRows(client, { tenant: slug, schema, path, archive, progress })
  if (had.length === migrations.length) return
  const owned = { schema, kind: 'tenant', tenant } as const
  const itsHooks = unitHooks(hooks, { schema: owned, path, direction: 'up' })
  await migrateNew(client, layout, { schema, slug, migrations, allow: locked, hooks: itsHooks })
}
