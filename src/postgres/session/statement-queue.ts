import { asCaller } from '../../support/caller-context.js'
import { type Submittable, isGivenUp } from '../statement/wire.js'

interface Waiting {
  readonly statement: Submittable
  readonly send: () => void
}

/** Statements that wait for the one before them; each is sent as its caller, for tracers to see. */
export class StatementQueue {
  #waiting: Waiting[] = []

  push(statement: Submittable, send: (statement: Submittable) => void): void {
    this.#waiting.push({ statement, send: asCaller(() => send(statement)) })
  }

  /** Sends the next one that is still wanted. @returns whether there was one. */
  sendNext(): boolean {
    for (;;) {
      const next = this.#waiting.shift()
      if (next === undefined) return false
      if (isGivenUp(next.statement)) continue
      next.send()
      return true
    }
  }

  /** Empties the queue. @returns what was in it. */
  clear(): readonly Submittable[] {
    const statements = this.#waiting.map(({ statement }) => statement)
    this.#waiting = []
    return statements
  }
}
