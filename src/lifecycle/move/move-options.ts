import type { Tenant, TenantMetadata } from '../../registry/tenant.js'
import type { RowEvent } from '../backup/progress.js'

/** How a tenant is moved to another database. */
export interface MoveOptions<Target> {
  /** The router of the database that is to serve the tenant, in the same process. */
  readonly to: Target
  /**
   * How long to wait for migrations and for transactions of running scopes, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /** Is called for each table that was copied, and in between for each 16 MB of a large one. */
  readonly onEvent?: (event: RowEvent) => void
  /** Stops the move; then the tenant is served from where it was. */
  readonly signal?: AbortSignal
}

/** What was moved. */
export interface MoveReport<Metadata = TenantMetadata> {
  /** The tenant as it is served by the other database from now on. */
  readonly tenant: Tenant<Metadata>
  /** The tenant that it was, which is suspended; its schema has another name. */
  readonly source: Tenant<Metadata>
  readonly tables: number
  readonly rows: number
  /** The tables that were written while the first copy was made, and were copied again. */
  readonly recopied: readonly string[]
  /** How long the tenant was not served by either database, in milliseconds. */
  readonly stoppedMs: number
}
