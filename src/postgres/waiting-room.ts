import { AsyncLocalStorage } from 'node:async_hooks'

/** A piece of code that holds clients of a pool while it runs. */
export interface Holder {
  readonly parent: Holder | undefined
  /** How many clients of the pool it holds itself. */
  clients: number
  /** How many calls inside it wait for another client. */
  waiting: number
}

/**
 * Knows who holds clients of a pool and who waits inside of that.
 *
 * When every client is held by code that waits for one more, nobody can go on: the pool is starved.
 */
export class WaitingRoom {
  readonly #holders = new Set<Holder>()
  /** Asks a wait inside a holder to end when it waits in vain; true if it does. */
  readonly #nested = new Set<() => boolean>()
  readonly #current = new AsyncLocalStorage<Holder>()

  /** Runs a scope's function as a holder. */
  hold<R>(holder: Holder, fn: () => R): R {
    return this.#current.run(holder, fn)
  }

  /** A holder for a new scope, inside the running one if there is one. */
  newHolder(): Holder {
    return { parent: this.#current.getStore(), clients: 0, waiting: 0 }
  }

  /** Notes that a holder got a client. It may have been the last one that others could wait for. */
  took(holder: Holder): void {
    holder.clients += 1
    this.#holders.add(holder)
    if (this.#nested.size > 0) [...this.#nested].findLast((endIfVain) => endIfVain())
  }

  /** Notes that a holder gave its client back. */
  gave(holder: Holder): void {
    holder.clients -= 1
    if (holder.clients === 0) this.#holders.delete(holder)
  }

  /**
   * Notes that code inside a holder begins to wait; call what is returned when it is over.
   *
   * @param endIfVain Ends the wait, and says so, if nobody will give a client back.
   */
  waits(holder: Holder, endIfVain: () => boolean): () => void {
    const { parent } = holder
    if (parent === undefined) return () => {}
    this.#nested.add(endIfVain)
    for (const each of lineOf(parent)) each.waiting += 1
    return () => {
      this.#nested.delete(endIfVain)
      for (const each of lineOf(parent)) each.waiting -= 1
    }
  }

  /** How many clients are held by code that waits for another one. */
  blockedClients(): number {
    let blocked = 0
    for (const { clients, waiting } of this.#holders) if (waiting > 0) blocked += clients
    return blocked
  }
}

function* lineOf(holder: Holder): Generator<Holder> {
  for (let each: Holder | undefined = holder; each !== undefined; each = each.parent) yield each
}
