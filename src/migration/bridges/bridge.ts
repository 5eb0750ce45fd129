import type { PoolClient } from 'pg'
import type { MigrationSource } from '../source.js'
import type { SingleClientPool } from './single-client-pool.js'

/** What a tool is given to migrate one schema with. */
export interface BridgeTarget {
  readonly schema: string
  /** Slug of the tenant that owns the schema; there is none for the shared schema and static ones. */
  readonly tenant?: string
  /** The schemas of the session's `search_path`, the schema itself first. */
  readonly searchPath: readonly string[]
  /** The one client, whose session has the schema's path. */
  readonly client: PoolClient
  /** A pool of that one client, for tools that take a pool. */
  readonly pool: SingleClientPool
}

/**
 * Another tool's own migrator, with its own files and its own tables inside each schema.
 *
 * The tool is no dependency of this package: it is handed in by the maker of the bridge.
 */
export interface MigrationBridge {
  readonly kind: 'bridge'
  /** Says which tool it is, for messages. */
  readonly origin: string
  /** Brings the schema up to date; answers the names of what ran. */
  up(target: BridgeTarget): Promise<readonly string[]>
  /** The names of what would run. What it changes in the database is taken back. */
  pending(target: BridgeTarget): Promise<readonly string[]>
  /** Takes the newest step back; answers the names of what was taken back. */
  down?(target: BridgeTarget): Promise<readonly string[]>
}

/** Where the migrations of one kind of schema come from: a set of ours, or another tool. */
export type MigrationOrigin = MigrationSource | MigrationBridge

/** Tells another tool from a set of migrations. */
export function isBridge(origin: MigrationOrigin | undefined): origin is MigrationBridge {
  return origin !== undefined && 'kind' in origin && origin.kind === 'bridge'
}
