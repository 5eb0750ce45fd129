/**
 * Sources of migrations, lint, verify and plans: what a script that migrates needs, and a service that serves does not.
 *
 * @module tenantry/migrate
 */

export type { BridgeTarget, MigrationBridge, MigrationOrigin } from './migration/bridges/bridge.js'
export { drizzleBridge } from './migration/bridges/drizzle.js'
export type { DrizzleBridgeOptions, DrizzleSettings } from './migration/bridges/drizzle.js'
export { knexBridge } from './migration/bridges/knex.js'
export type { KnexInstance, KnexSettings } from './migration/bridges/knex.js'
export { kyselyBridge } from './migration/bridges/kysely.js'
export type { KyselyMigrator, KyselyOutcome } from './migration/bridges/kysely.js'
export { nodePgMigrateBridge } from './migration/bridges/node-pg-migrate.js'
export type { NodePgMigrateSettings } from './migration/bridges/node-pg-migrate.js'
export { umzugBridge, umzugStorage } from './migration/bridges/umzug.js'
export type { UmzugInstance, UmzugTable } from './migration/bridges/umzug.js'
export type { SingleClientPool } from './migration/bridges/single-client-pool.js'
export { lint } from './migration/lint/lint.js'
export type { LintFinding, LintOptions } from './migration/lint/lint.js'
export type { LintLevel } from './migration/lint/rule.js'
export { LINT_RULES } from './migration/lint/rules.js'
export type {
  Migration,
  MigrationContext,
  MigrationFunction,
  MigrationSource,
} from './migration/source.js'
export { code } from './migration/sources/code.js'
export type { CodeMigration } from './migration/sources/code.js'
export { directory } from './migration/sources/directory.js'
export type { SqlFormat } from './migration/sources/folder-format.js'
export { sqlDirectory } from './migration/sources/sql-directory.js'
export type { SqlDirectoryOptions } from './migration/sources/sql-directory.js'
