import type { ClientBase } from 'pg'

/** What a migration written in code is told. */
export interface MigrationContext {
  readonly schema: string
  /** Slug of the tenant that owns the schema; there is none for the shared schema and static ones. */
  readonly tenant?: string
  /** Aborted when the run is stopped. */
  readonly signal?: AbortSignal
}

/** A migration written in code: what it does through `db` is part of the schema's transaction. */
export type MigrationFunction = (
  db: Pick<ClientBase, 'query'>,
  context: MigrationContext,
) => Promise<unknown>

/** One migration of a set. */
export interface Migration {
  /** Consecutive from 1; 0 is the ledger's own table, which is added to a set without it. */
  readonly id: number
  readonly name: string
  readonly fileName: string
  /** Its SQL; empty for one that is written in code. */
  readonly sql: string
  /** What the ledger keeps to tell whether the migration was changed after it ran. */
  readonly hash: string
  /** Full path of the file, where there is one. */
  readonly file?: string
  /** The SQL that takes the migration back, where it has been written. */
  readonly down?: string
  /** Full path of the file that `down` is in, where there is one. */
  readonly downFile?: string
  /** What runs instead of `sql`, for a migration that is written in code. */
  readonly code?: {
    readonly up: MigrationFunction
    readonly down?: MigrationFunction
    /** It may run in a spare, where `context.tenant` is `undefined`. */
    readonly anyTenant?: boolean
  }
}

/** A migration set: where the migrations of one kind of schema come from. */
export interface MigrationSource {
  /** Says where the migrations come from, for messages. */
  readonly origin: string
  /**
   * Loads the migrations in the order of their ids.
   *
   * @throws `MIGRATION_SOURCE_INVALID`
   */
  load(): Promise<readonly Migration[]>
}
