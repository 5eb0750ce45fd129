import type { Queryable } from '../postgres/queryable.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Migration } from './source.js'

/** What a run of migrations has to know of spare schemas; what they are for is not its business. */
export interface SpareSchemas {
  /** All spares that there are. */
  list(db: Queryable): Promise<readonly SchemaName[]>
  /**
   * Says that a spare has had its migrations, so that it may be looked at and used.
   *
   * @returns why it cannot be used, and was dropped.
   */
  settle(schema: SchemaName, migrations: readonly Migration[]): Promise<string | undefined>
  /** Drops a spare; does nothing where it is none any more. */
  drop(schema: SchemaName): Promise<void>
  /** Whether it is still a spare. */
  has(db: Queryable, schema: SchemaName): Promise<boolean>
}
