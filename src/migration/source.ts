/** One migration of a set. */
export interface Migration {
  /** Consecutive from 1; 0 is the ledger's own table, which is added to a set without it. */
  readonly id: number
  readonly name: string
  readonly fileName: string
  readonly sql: string
  /** What the ledger keeps to tell whether the migration was changed after it ran. */
  readonly hash: string
  /** Full path of the file, where there is one. */
  readonly file?: string
  /** The SQL that takes the migration back, where it has been written. */
  readonly down?: string
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
