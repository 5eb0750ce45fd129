import type { SchemaName } from '../../names/schema-name.js'
import type { GuardRules } from '../guard/guard.js'
import type { LedgerRow } from '../ledger.js'
import type { UnitHooks } from '../migrate-hooks.js'
import type { Migration } from '../source.js'
import type { Atomicity, Goal, Step } from '../step.js'

/** One schema, as its migrations see it. */
export interface UnitTarget {
  readonly schema: SchemaName
  /** The text of the whole `search_path`. */
  readonly path: string
  /** All migrations of the schema's set. */
  readonly migrations: readonly Migration[]
  /** Make the schema if it is missing; only the shared and static ones are made this way. */
  readonly createSchema: boolean
  /** How long to wait for a lock, in milliseconds. */
  readonly lockTimeoutMs: number
  /** How long a statement may take, in milliseconds. */
  readonly statementTimeoutMs?: number | undefined
  /** Slug of the owner, for migrations in code. */
  readonly tenant?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** What the ledger had when the fleet was looked at; by now it may have more. */
  readonly seen?: readonly LedgerRow[]
  /** @defaultValue everything that is pending */
  readonly goal?: Goal
  readonly atomicity?: Atomicity | undefined
  /** Without it nobody looks at what is touched outside of the schema. */
  readonly guard?: GuardRules | undefined
  /** What the service does before and after the migrations. */
  readonly hooks?: UnitHooks | undefined
  /** File names of what is committed already, for the error of what then fails. */
  readonly kept?: readonly string[]
}

/** What a unit has committed so far. */
export interface UnitProgress {
  readonly steps: Step[]
  /** Those of them that ran outside of a transaction. */
  readonly alone: Step[]
  /** Whether it was more than one transaction, or none. */
  split: boolean
  /** Whether the hook that comes before is committed, so that it is not called again. */
  begun: boolean
}
