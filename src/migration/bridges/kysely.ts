import type { BridgeTarget, MigrationBridge } from './bridge.js'

/** What is used of Kysely's `Migrator`. */
export interface KyselyMigrator {
  getMigrations(): Promise<readonly { readonly name: string; readonly executedAt?: Date }[]>
  migrateToLatest(): Promise<KyselyOutcome>
  migrateDown(): Promise<KyselyOutcome>
}

/** What Kysely's migrator answers; it does not reject. */
export interface KyselyOutcome {
  readonly error?: unknown
  readonly results?: readonly { readonly migrationName: string; readonly status: string }[]
}

/**
 * Lets Kysely's `Migrator` migrate each schema, with its tables in that schema.
 *
 * Kysely takes one lock for the whole database while it migrates, so schemas are migrated one after
 * the other whatever the concurrency.
 *
 * @param open Makes the migrator for one schema: give it the pool, and `migrationTableSchema`.
 * @throws What the migrator reports, as `MIGRATION_FAILED`, when a run calls it.
 * @example
 * import { kyselyBridge } from 'tenantry/migrate'
 * import { Kysely, Migrator, PostgresDialect, type MigrationProvider } from 'kysely'
 *
 * const migrations = (provider: MigrationProvider) =>
 *   kyselyBridge(({ pool, schema }) => {
 *     const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
 *     return new Migrator({ db, provider, migrationTableSchema: schema })
 *   })
 */
export function kyselyBridge(
  open: (target: BridgeTarget) => KyselyMigrator | Promise<KyselyMigrator>,
): MigrationBridge {
  return {
    kind: 'bridge',
    origin: 'Kysely',
    up: async (target) => namesOf(await (await open(target)).migrateToLatest()),
    down: async (target) => namesOf(await (await open(target)).migrateDown()),
    pending: async (target) => {
      const migrations = await (await open(target)).getMigrations()
      return migrations.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name)
    },
  }
}

function namesOf({ error, results = [] }: KyselyOutcome): readonly string[] {
  if (error !== undefined) throw error
  return results
    .filter(({ status }) => status === 'Success')
    .map(({ migrationName }) => migrationName)
}
