import type { Leaving } from './leavings.js'

/** What is known of one pooled client, for as long as it lives. */
export class ClientMemory {
  /** Schemas that the backend has seen; it keeps their catalogs in memory until it ends. */
  readonly schemas: Set<string> = new Set()
  /** What scopes have left on the connection and is not yet cleaned. */
  readonly leavings: Set<Leaving> = new Set()
  /** The `search_path` that PostgreSQL 18 reported last, and the first one outside of a scope. */
  reportedPath: string | undefined
  ownPath: string | undefined
  /** Wire names by tenant and statement, the least recently used first. */
  readonly #names = new Map<string, string>()
  #evicted: string[] = []
  #lastName = 0

  /** The name of a statement on this connection; the oldest give way when there are too many. */
  wireName(key: string, limit: number): string {
    const name = this.#names.get(key) ?? this.#newName()
    this.#names.delete(key)
    this.#names.set(key, name)
    for (const [oldest, gone] of this.#names) {
      if (this.#names.size <= limit) break
      this.#names.delete(oldest)
      this.#evicted.push(gone)
    }
    return name
  }

  #newName(): string {
    this.#lastName += 1
    return `tenantry_${this.#lastName}`
  }

  /** The tables of a statement have changed: it gets a new name, and the old one goes. */
  forgetStatement(key: string): void {
    const name = this.#names.get(key)
    if (name === undefined) return
    this.#names.delete(key)
    this.#evicted.push(name)
  }

  /** The names that have given way since the last call; each is to be closed on the server. */
  takeEvicted(): readonly string[] {
    if (this.#evicted.length === 0) return NONE
    return this.#evicted.splice(0)
  }

  /** The server has dropped all prepared statements; hands out their names. */
  forgetStatements(): readonly string[] {
    const names = [...this.#names.values(), ...this.#evicted.splice(0)]
    this.#names.clear()
    return names
  }
}

const NONE: readonly string[] = []

const memories = new WeakMap<object, ClientMemory>()

/** The memory of a client; the same object each time. */
export function memoryOf(client: object): ClientMemory {
  const known = memories.get(client)
  if (known !== undefined) return known
  const memory = new ClientMemory()
  memories.set(client, memory)
  return memory
}
