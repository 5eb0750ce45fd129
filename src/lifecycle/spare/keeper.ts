import { isTenantryError } from '../../errors.js'
import { log } from '../../diagnostics/log.js'
import { loadSets } from '../../migration/layout.js'
import type { Migration } from '../../migration/source.js'
import type { SchemaName } from '../../names/schema-name.js'
import { toError } from '../../postgres/sql-state.js'
import { backoffMs } from '../../support/backoff.js'
import { type SpareOffer, offerOf } from './claim-spare.js'
import { type SpareParts, makeSpare, prepareForSpares } from './make-spare.js'
import { type SpareSet, spareSetOf, unfitSet } from './spare-set.js'
import { installSpareTable } from './table.js'

/** What a {@link SpareKeeper} works with. */
export interface KeeperParts extends SpareParts {
  /** Whoever ends the pool has no use for spares either. */
  readonly pool: { readonly ending: boolean }
}

/** How many spares one process makes at a time. */
const CONCURRENCY = 2
/** Other processes may have taken spares and have ended since. */
const LOOK_EVERY_MS = 30_000
/** A burst of new tenants is served before the spares that it took are replaced. */
const AFTER_CLAIM_MS = 1_000
const BACKOFF_MS = { base: 1_000, max: 60_000 }

const debug = log('spares')

interface Unfit {
  readonly set: SpareSet
  readonly error: Error
}

/**
 * Keeps spares ready in the background, once it was started. Its timers do not keep the process
 * alive; what it is about to make when it is closed is finished.
 */
export class SpareKeeper {
  readonly #parts: KeeperParts
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  /** The last filling; the next one begins after it. */
  #filling: Promise<void> = Promise.resolve()
  #installed: Promise<void> | undefined
  #unfit: Unfit | undefined
  #wake: () => void = () => {}
  /** Why spares could not be made, until they can. */
  problem: Error | undefined

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Begins to keep spares; does nothing when it has begun, or was closed. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends what runs in the background. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#running ??= Promise.resolve()
    await this.#running
    await this.#filling
  }

  /**
   * Makes the spares that are missing.
   *
   * @throws `SPARE_UNSAFE`, `MIGRATION_SOURCE_INVALID`, `MIGRATION_FAILED`
   */
  fill(): Promise<void> {
    const next = this.#filling.then(() => this.#fill())
    this.#filling = next.catch(() => {})
    return next
  }

  /** Spares for a tenant with these migrations; `undefined` where there can be none. */
  async offer(migrations: readonly Migration[]): Promise<SpareOffer | undefined> {
    if (migrations.length === 0) return undefined
    const set = spareSetOf(this.#parts.layout, migrations)
    if (this.#unfitFor(set) !== undefined) return undefined
    try {
      await this.#install()
    } catch (error) {
      // Such as a missing right: the tenant is created as if there were no spares.
      this.#note(toError(error))
      return undefined
    }
    return offerOf(this.#shared, set)
  }

  /** Call it when a spare may have been taken. */
  taken(): void {
    this.start()
    this.#wake()
  }

  get #shared(): SchemaName {
    return this.#parts.layout.shared.schema
  }

  get #over(): boolean {
    return this.#closing.signal.aborted || this.#parts.pool.ending
  }

  async #fill(): Promise<void> {
    if (this.#over) return
    const { layout, count } = this.#parts
    const schema = this.#shared
    const migrations = (await loadSets(layout))({ schema, kind: 'tenant' })
    if (migrations.length === 0) return
    const set = spareSetOf(layout, migrations)
    const unfit = this.#unfitFor(set)
    if (unfit !== undefined) throw unfit
    await this.#install()
    await prepareForSpares(this.#parts, set)
    const makers = Array.from({ length: Math.min(CONCURRENCY, count) }, () => this.#make(set))
    const failed = (await Promise.allSettled(makers)).find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') return
    const error = toError(failed.reason)
    if (isTenantryError(error, 'SPARE_UNSAFE')) this.#unfit = { set, error }
    throw error
  }

  async #make(set: SpareSet): Promise<void> {
    let isMade = true
    while (isMade && !this.#over) isMade = await makeSpare(this.#parts, set)
  }

  /** What was found once is not tried again before the set has changed. */
  #unfitFor(set: SpareSet): Error | undefined {
    const before = this.#unfit
    if (before?.set.ledger === set.ledger && before.set.path === set.path) return before.error
    const error = unfitSet(set)
    this.#unfit = error && { set, error }
    return error
  }

  #install(): Promise<void> {
    this.#installed ??= installSpareTable(this.#parts.db, this.#shared).catch((error: unknown) => {
      this.#installed = undefined
      throw error
    })
    return this.#installed
  }

  async #run(): Promise<void> {
    let attempt = 0
    while (!this.#over) {
      try {
        await this.fill()
        attempt = 0
        this.problem = undefined
        await this.#pause(LOOK_EVERY_MS, AFTER_CLAIM_MS)
      } catch (thrown) {
        const error = toError(thrown)
        if (this.#over) return
        this.#note(error)
        attempt += 1
        await this.#pause(backoffMs(attempt, BACKOFF_MS.base, BACKOFF_MS.max))
      }
    }
  }

  #note(error: Error): void {
    if (this.problem?.message !== error.message) debug('no spares: %s', error.message)
    this.problem = error
  }

  /** Waits; with `wokenMs` for no longer than that once somebody has taken a spare. */
  #pause(ms: number, wokenMs?: number): Promise<void> {
    const { signal } = this.#closing
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#wake = () => {}
        signal.removeEventListener('abort', end)
        resolve()
      }
      let timer = setTimeout(end, ms).unref()
      if (wokenMs !== undefined) {
        this.#wake = () => {
          this.#wake = () => {}
          clearTimeout(timer)
          timer = setTimeout(end, wokenMs).unref()
        }
      }
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    })
  }
}
