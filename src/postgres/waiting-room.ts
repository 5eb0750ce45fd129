import { AsyncLocalStorage } from 'node:async_hooks'

/** A piece of code that holds clients of a pool while it runs. */
export interface Holder {
  readonly parent: Holder | undefined
  /** How many clients of the pool it holds itself. */
  clients: number
  /** How many calls inside it wait for another client. */
  waiting: number
}

interface Wait {
  /** The holders that the waiting code runs in, from the inside out. */
  readonly inside: readonly Holder[]
  readonly end: () => void
}

/**
 * Knows who holds clients of a pool and who waits inside of that.
 *
 * When every client is held by code that waits for one more, nobody can go on: the pool is starved.
 */
export class WaitingRoom {
  readonly #holders = new Set<Holder>()
  /** Waits inside of holders, in the order in which they began. */
  readonly #waits = new Set<Wait>()
  readonly #current = new AsyncLocalStorage<Holder>()
  readonly #max: () => number

  /** @param max How many clients the pool can have. */
  constructor(max: () => number) {
    this.#max = max
  }

  /** Runs a scope's function as a holder. */
  hold<R>(holder: Holder, fn: () => R): R {
    return this.#current.run(holder, fn)
  }

  /** Runs a function as nobody's: what it waits for is not the running scope's wait. */
  outside<R>(fn: () => R): R {
    return this.#current.exit(fn)
  }

  /** A holder for a new scope, inside the running one if there is one. */
  newHolder(): Holder {
    return { parent: this.#current.getStore(), clients: 0, waiting: 0 }
  }

  /** Notes that a holder got a client. It may have been the last one that others could wait for. */
  took(holder: Holder): void {
    holder.clients += 1
    this.#holders.add(holder)
    if (this.#waits.size > 0) this.endVainWait()
  }

  /** Notes that a holder gave its client back. */
  gave(holder: Holder): void {
    holder.clients -= 1
    if (holder.clients === 0) this.#holders.delete(holder)
  }

  /**
   * Notes that the running code begins to wait; call what is returned when it is over.
   *
   * @param end Ends the wait.
   */
  waits(end: () => void): () => void {
    const inside = [...lineOf(this.#current.getStore())]
    if (inside.length === 0) return () => {}
    const wait: Wait = { inside, end }
    this.#waits.add(wait)
    for (const holder of inside) holder.waiting += 1
    return () => {
      this.#waits.delete(wait)
      for (const holder of inside) holder.waiting -= 1
    }
  }

  /** Ends the youngest wait that keeps a client from coming back, if none would ever come back. */
  endVainWait(): void {
    if (this.blockedClients() < this.#max()) return
    const keeping = [...this.#waits].findLast(({ inside }) =>
      inside.some(({ clients }) => clients > 0),
    )
    keeping?.end()
  }

  /** How many clients are held by code that waits for another one. */
  blockedClients(): number {
    let blocked = 0
    for (const { clients, waiting } of this.#holders) if (waiting > 0) blocked += clients
    return blocked
  }
}

function* lineOf(holder: Holder | undefined): Generator<Holder> {
  for (let each = holder; each !== undefined; each = each.parent) yield each
}
