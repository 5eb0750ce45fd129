import type { Queryable } from '../../postgres/queryable.js'
import { present } from '../../support/present.js'

/** What a transaction does to a state. */
export type Change<State> = (state: State) => State

/** What a write decides on, by the state that its own transaction sees. */
export interface Decision<State, Result> {
  readonly result: Result
  /** Left out where there is nothing to do. */
  readonly change?: Change<State>
  /** What to announce. */
  readonly payloads?: readonly string[]
}

interface Writer {
  readonly transaction: string
  /** The subtransaction, which a ROLLBACK TO SAVEPOINT ends, or else the transaction itself. */
  readonly part: string
}

interface Entry<State> extends Writer {
  readonly keys: readonly string[]
  readonly change: Change<State>
}

type Fates = Readonly<Record<string, string | null>>

/**
 * Gives the subtransaction that is open an id, and reads it: of the ids that a backend has locked,
 * the youngest. Where no savepoint is open, it is the transaction's own.
 *
 * @see https://www.postgresql.org/docs/current/view-pg-locks.html
 */
const PART = `select p.part::text as part
  from (select pg_logical_emit_message(true, 'tenantry', '') as made offset 0) forced
  cross join lateral (
    select pg_current_xact_id()::text::bigint + l.transactionid::text::bigint
      - pg_current_xact_id()::xid::text::bigint as part
    from pg_locks l
    where forced.made is not null and l.pid = pg_backend_pid() and l.granted
      and l.locktype = 'transactionid' and l.mode = 'ExclusiveLock'
    order by age(l.transactionid) limit 1) p`

/**
 * A state in memory that follows the transactions of a database, savepoints included.
 *
 * What a transaction writes is noted with its id. Others see it once PostgreSQL says that the
 * transaction was committed; of what was rolled back nothing is left.
 */
export class TransactionJournal<State> {
  readonly #channel: string
  /** What is called the same in two journals is not the same. */
  readonly #name = crypto.randomUUID()
  #state: State
  #entries: readonly Entry<State>[] = []

  constructor(state: State, channel: string) {
    this.#state = state
    this.#channel = channel
  }

  /** The state as the caller's transaction sees it. */
  async read(db: Queryable): Promise<State> {
    if (this.#entries.length === 0) return this.#state
    return this.#seenBy(await this.#settle(db))
  }

  /**
   * Changes the state in the caller's transaction.
   *
   * @param keys What nobody else may change before the transaction ends.
   */
  async write<Result>(
    db: Queryable,
    keys: readonly string[],
    decide: (state: State) => Decision<State, Result>,
  ): Promise<Result> {
    const { transaction, part } = await this.#enter(db, keys)
    // From here to the entry nothing is awaited: a write without a transaction has no lock any more.
    const { result, change, payloads = [] } = decide(this.#seenBy(transaction))
    if (change === undefined) return result
    this.#entries = [...this.#entries, { transaction, part, keys, change }]
    const text = `select pg_notify('${this.#channel}', payload) from unnest($1::text[]) payload`
    await db.query(text, [payloads])
    return result
  }

  /** Waits until no other transaction has changed any of the keys. */
  async #enter(db: Queryable, keys: readonly string[]): Promise<Writer> {
    for (;;) {
      await db.query(
        `select pg_advisory_xact_lock(hashtextextended(key, 0))
         from (select key from unnest($1::text[]) key order by key) keys`,
        [keys.map((key) => `${this.#name} ${key}`)],
      )
      const { rows } = await db.query<Writer>(
        `select part, pg_current_xact_id()::text as transaction from (${PART}) p`,
      )
      const own = present(rows[0])
      await this.#settle(db)
      const isTaken = this.#entries.some(
        (entry) =>
          entry.transaction !== own.transaction && entry.keys.some((key) => keys.includes(key)),
      )
      if (!isTaken) return own
    }
  }

  /**
   * Takes over what was committed meanwhile, and drops what was rolled back.
   *
   * @returns the caller's transaction, if it has written anything.
   */
  async #settle(db: Queryable): Promise<string | null> {
    const asked = this.#entries
    const { rows } = await db.query<{ transaction: string | null; fates: Fates | null }>(
      `select pg_current_xact_id_if_assigned()::text as transaction, (
         select jsonb_object_agg(part, pg_xact_status(part::xid8)) from unnest($1::text[]) part
       ) as fates`,
      [asked.map(({ part }) => part)],
    )
    const fates = rows[0]?.fates ?? {}
    const left: Entry<State>[] = []
    for (const entry of this.#entries) {
      const fate = fates[entry.part] ?? 'in progress'
      if (fate === 'in progress') left.push(entry)
      else if (fate === 'committed') this.#state = entry.change(this.#state)
    }
    this.#entries = left
    return rows[0]?.transaction ?? null
  }

  #seenBy(transaction: string | null): State {
    return this.#entries
      .filter((entry) => entry.transaction === transaction)
      .reduce((state, { change }) => change(state), this.#state)
  }
}
