import { GuardOption } from './index.js'
import { EventEmitter } from 'node:events'
import { ClientBase, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'

export interface BridgeTarget {
  readonly schema: string
  readonly tenant?: string
  readonly searchPath: readonly string[]
  readonly client: PoolClient
  readonly pool: SingleClientPool
}

export interface CodeMigration {
  readonly name: string
  readonly up: MigrationFunction
  readonly down?: MigrationFunction
  readonly anyTenant?: boolean
  readonly version?: number
  readonly hash?: string
}

export interface DrizzleBridgeOptions {
  readonly migrationsFolder: string
  readonly migrationsTable?: string
}

export interface DrizzleSettings {
  migrationsFolder: string
  migrationsTable: string
  migrationsSchema: string
}

export interface KnexInstance {
  readonly client: object
  readonly migrate: {
    latest(settings: KnexSettings): Promise<unknown>
    down(settings: KnexSettings): Promise<unknown>
    list(settings: KnexSettings): Promise<unknown>
  }
}

export interface KnexSettings {
  readonly schemaName: string
}

export interface KyselyMigrator {
  getMigrations(): Promise<
    readonly {
      readonly name: string
      readonly executedAt?: Date
    }[]
  >
  migrateToLatest(): Promise<KyselyOutcome>
  migrateDown(): Promise<KyselyOutcome>
}

export interface KyselyOutcome {
  readonly error?: unknown
  readonly results?: readonly {
    readonly migrationName: string
    readonly status: string
  }[]
}

export declare const LINT_RULES: readonly string[]

export interface LintFinding {
  readonly rule: string
  readonly level: LintLevel
  readonly file: string
  readonly migration: string
  readonly line: number
  readonly column?: number
  readonly message: string
}

export type LintLevel = 'error' | 'warning' | 'note'

export interface LintOptions {
  readonly searchPath?: readonly string[]
  readonly allow?: readonly string[]
  readonly guard?: GuardOption | undefined
}

export interface Migration {
  readonly id: number
  readonly name: string
  readonly fileName: string
  readonly sql: string
  readonly hash: string
  readonly file?: string
  readonly down?: string
  readonly downFile?: string
  readonly code?: {
    readonly up: MigrationFunction
    readonly down?: MigrationFunction
    readonly anyTenant?: boolean
  }
}

export interface MigrationBridge {
  readonly kind: 'bridge'
  readonly origin: string
  up(target: BridgeTarget): Promise<readonly string[]>
  pending(target: BridgeTarget): Promise<readonly string[]>
  down?(target: BridgeTarget): Promise<readonly string[]>
}

export interface MigrationContext {
  readonly schema: string
  readonly tenant?: string
  readonly signal?: AbortSignal
}

export type MigrationFunction = (
  db: Pick<ClientBase, 'query'>,
  context: MigrationContext,
) => Promise<unknown>

export type MigrationOrigin = MigrationSource | MigrationBridge

export interface MigrationSource {
  readonly origin: string
  load(): Promise<readonly Migration[]>
}

export interface NodePgMigrateSettings {
  readonly dbClient: PoolClient
  readonly migrationsSchema: string
  readonly direction: 'up' | 'down'
  readonly count: number
  readonly dryRun: boolean
  readonly noLock: true
  readonly log: (message: string) => void
}

export declare class SingleClientPool extends EventEmitter {
  #private
  protected constructor()
  connect(): Promise<PoolClient>
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>>
  end(): Promise<void>
}

export interface SqlDirectoryOptions {
  readonly format?: SqlFormat
}

export type SqlFormat =
  | 'flyway'
  | 'golang-migrate'
  | 'plain'
  | 'prisma'
  | 'drizzle'
  | 'dbmate'
  | 'node-pg-migrate'
  | 'goose'

export interface UmzugInstance {
  up(): Promise<
    readonly {
      readonly name: string
    }[]
  >
  down(): Promise<
    readonly {
      readonly name: string
    }[]
  >
  pending(): Promise<
    readonly {
      readonly name: string
    }[]
  >
}

export interface UmzugTable {
  logMigration(migration: { readonly name: string }): Promise<void>
  unlogMigration(migration: { readonly name: string }): Promise<void>
  executed(): Promise<string[]>
}

export declare function code(migrations: readonly CodeMigration[]): MigrationSource

export declare function directory(path: string): MigrationSource

export declare function drizzleBridge(
  options: DrizzleBridgeOptions,
  migrate: (target: BridgeTarget, settings: DrizzleSettings) => Promise<unknown>,
): MigrationBridge

export declare function knexBridge(
  open: (target: BridgeTarget) => KnexInstance | Promise<KnexInstance>,
): MigrationBridge

export declare function kyselyBridge(
  open: (target: BridgeTarget) => KyselyMigrator | Promise<KyselyMigrator>,
): MigrationBridge

export declare function lint(
  migrations: MigrationSource | readonly Migration[],
  options?: LintOptions,
): Promise<readonly LintFinding[]>

export declare function nodePgMigrateBridge(
  run: (
    settings: NodePgMigrateSettings,
    target: BridgeTarget,
  ) => Promise<
    readonly {
      readonly name: string
    }[]
  >,
): MigrationBridge

export declare function sqlDirectory(path: string, options?: SqlDirectoryOptions): MigrationSource

export declare function umzugBridge(
  open: (target: BridgeTarget) => UmzugInstance | Promise<UmzugInstance>,
): MigrationBridge

export declare function umzugStorage(target: BridgeTarget, table?: string): UmzugTable
