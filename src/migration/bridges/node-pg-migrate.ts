import type { PoolClient } from 'pg'
import type { BridgeTarget, MigrationBridge } from './bridge.js'

/** What the bridge sets for the `runner` of node-pg-migrate; spread it into the options. */
export interface NodePgMigrateSettings {
  readonly dbClient: PoolClient
  /** Where the tool keeps its table. The path is the session's; `schema` would set another one. */
  readonly migrationsSchema: string
  readonly direction: 'up' | 'down'
  readonly count: number
  readonly dryRun: boolean
  /** The tool's own lock is one for the whole database; a schema has ours. */
  readonly noLock: true
  readonly log: (message: string) => void
}

/**
 * Lets the `runner` of node-pg-migrate migrate each schema, with its table in that schema.
 *
 * @param run Calls the runner with the settings and with options of your own, but not with `schema`.
 * @throws What the runner throws, as `MIGRATION_FAILED`, when a run calls it.
 * @example
 * import { nodePgMigrateBridge } from 'tenantry/migrate'
 * import { runner } from 'node-pg-migrate'
 *
 * const migrations = nodePgMigrateBridge((settings) =>
 *   runner({ dir: 'migrations/tenant', migrationsTable: 'pgmigrations', ...settings }),
 * )
 * console.log(migrations.origin)
 */
export function nodePgMigrateBridge(
  run: (
    settings: NodePgMigrateSettings,
    target: BridgeTarget,
  ) => Promise<readonly { readonly name: string }[]>,
): MigrationBridge {
  const call = async (
    target: BridgeTarget,
    task: Pick<NodePgMigrateSettings, 'direction' | 'count' | 'dryRun'>,
  ): Promise<readonly string[]> => {
    const { client: dbClient, schema: migrationsSchema } = target
    const fixed = { dbClient, migrationsSchema, noLock: true as const, log: () => {} }
    return (await run({ ...fixed, ...task }, target)).map(({ name }) => name)
  }
  return {
    kind: 'bridge',
    origin: 'node-pg-migrate',
    up: (target) => call(target, { direction: 'up', count: Infinity, dryRun: false }),
    down: (target) => call(target, { direction: 'down', count: 1, dryRun: false }),
    pending: (target) => call(target, { direction: 'up', count: Infinity, dryRun: true }),
  }
}
