import { type Leaving, leavingOfTag, leavingsOfText } from './leavings.js'
import type { PreludeForm } from '../statement/prelude-form.js'
import { ReportedPath } from './reported-path.js'
import { STATEMENT_PREFIX } from '../statement/statement-prefix.js'

/** What is known of one pooled client, for as long as it lives. */
export class ClientMemory {
  /** Schemas that the backend has seen; it keeps their catalogs in memory until it ends. */
  readonly schemas: Set<string> = new Set()
  /** What scopes have left on the connection and is not yet cleaned. */
  readonly leavings: Set<Leaving> = new Set()
  readonly path: ReportedPath = new ReportedPath()
  /** No pooler is in between, so that prepared statements stay where they are; known after the first prelude. */
  direct: boolean | undefined
  readonly #preparedPreludes = new Set<string>()
  /** Wire names by tenant and statement, the least recently used first. */
  readonly #names = new Map<string, string>()
  #evicted: string[] = []
  #lastName = 0

  /** Notes what the text of a statement that is about to be run tells. */
  noteText(text: string): void {
    for (const leaving of leavingsOfText(text)) this.leavings.add(leaving)
  }

  /** Notes what a script may leave, whose command tags nobody looks at. */
  noteScript(text: string): void {
    this.noteText(text)
    this.noteTag('SET', text)
  }

  /** Notes what the command tag of a finished statement tells. */
  noteTag(tag: string, text: string): void {
    const leaving = leavingOfTag(tag, text)
    if (leaving !== undefined) this.leavings.add(leaving)
    if (tag === 'DISCARD ALL') this.leavings.clear()
  }

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

  /**
   * The bytes of a prelude for this connection: prepared under a name where that is known to be
   * safe, because parsing it anew is most of what it costs.
   */
  preludeBytes(form: PreludeForm): Buffer {
    if (this.direct !== true) return form.unnamed
    if (this.#preparedPreludes.has(form.name)) return form.execute
    // Its Parse cannot fail: it names nothing that could be missing.
    this.#preparedPreludes.add(form.name)
    return form.prepare
  }

  #newName(): string {
    this.#lastName += 1
    return STATEMENT_PREFIX + this.#lastName
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
    // Whether the server still knows them is no longer certain, and their names cannot change.
    this.direct = false
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
