import { type SchemaLayout, loadSets } from '../../migration/layout.js'
import type { Database } from '../../postgres/database.js'
import type { Spares } from './late-spares.js'
import type { SpareRow } from './table.js'

/** How the spares of a service stand. */
export interface SpareStatus {
  /** How many there are to be: the option `spares`. */
  readonly wanted: number
  /** The schemas that `tenants.create` would take. */
  readonly ready: readonly string[]
  /** Those that need `migrations.up` first, or were made for other migrations. */
  readonly stale: readonly string[]
  /** Why this process could not make spares when it tried last. */
  readonly problem: Error | undefined
}

/** What {@link TenantSpares} works with. */
interface TenantSpareParts {
  readonly db: Database
  readonly layout: SchemaLayout
  readonly spares: Spares
}

/** Schemas that are kept ready for new tenants; `router.tenants.spares`. */
export class TenantSpares {
  readonly #parts: TenantSpareParts

  /** @internal Made by the router. */
  constructor(parts: TenantSpareParts) {
    this.#parts = parts
  }

  /**
   * Says which spares there are. Changes nothing.
   *
   * @throws `MIGRATION_SOURCE_INVALID`
   */
  async status(): Promise<SpareStatus> {
    const { db, layout, spares: kept } = this.#parts
    const { spareSetOf } = await import('./spare-set.js')
    const { readSpares } = await import('./table.js')
    const schema = layout.shared.schema
    const set = spareSetOf(layout, (await loadSets(layout))({ schema, kind: 'tenant' }))
    const isReady = ({ ledger, note, path }: SpareRow): boolean =>
      ledger === set.ledger && note === set.ledger && path === set.path
    const spares = await readSpares(db, schema)
    return {
      wanted: kept.count,
      ready: spares.filter(isReady).map((spare) => spare.schema),
      stale: spares.filter((spare) => !isReady(spare)).map((spare) => spare.schema),
      problem: kept.problem,
    }
  }

  /**
   * Makes the spares that are missing now, instead of in the background: before a campaign, or in a
   * script that ends. What other processes are making at this moment is left to them.
   *
   * @throws `SPARE_UNSAFE` with the places in `candidates` when a spare would not be like a tenant
   * that is created without, `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function warmUp(router: SchemaRouter): Promise<void> {
   *   await router.tenants.spares.fill()
   *   console.log((await router.tenants.spares.status()).ready)
   * }
   */
  fill(): Promise<void> {
    return this.#parts.spares.fill()
  }

  /**
   * Drops all spares, for example when the service no longer wants any. A process that wants spares
   * makes them again.
   *
   * @returns how many were dropped.
   */
  async drop(): Promise<number> {
    const { db, layout } = this.#parts
    const { dropSpare } = await import('./migrated-spares.js')
    const { readSpares } = await import('./table.js')
    const shared = layout.shared.schema
    let count = 0
    for (const { schema } of await readSpares(db, shared)) {
      // One at a time: each takes a lock for every table and index in it.
      if (await db.transaction((client) => dropSpare(client, shared, schema))) count += 1
    }
    return count
  }
}
