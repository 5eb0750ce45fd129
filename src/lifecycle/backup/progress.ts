/** How far a backup or a restore has come: an event for each table, and more for large ones. */
export interface RowEvent {
  readonly kind: 'rows' | 'table'
  readonly table: string
  /** How many bytes of the table's rows have passed, before they are compressed. */
  readonly bytes: number
  /** How many rows the table has, once it is done. */
  readonly rows?: number
}

/** What all tables came to. */
export interface RowTotals {
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

/** How many bytes pass between two events of the same table. */
const STEP_BYTES = 16 * 1024 * 1024

/** Counts rows and bytes on their way, and tells of them. */
export class RowProgress {
  readonly #onEvent: (event: RowEvent) => void
  #totals: RowTotals = { tables: 0, rows: 0, bytes: 0 }
  readonly #bytes = new Map<string, number>()

  constructor(onEvent: (event: RowEvent) => void = () => {}) {
    this.#onEvent = onEvent
  }

  get totals(): RowTotals {
    return this.#totals
  }

  /** Some bytes of a table's rows have passed. */
  moved(table: string, bytes: number): void {
    const before = this.#bytes.get(table) ?? 0
    const after = before + bytes
    this.#bytes.set(table, after)
    const isFar = Math.floor(after / STEP_BYTES) > Math.floor(before / STEP_BYTES)
    if (isFar) this.#onEvent({ kind: 'rows', table, bytes: after })
  }

  /** The rows of a table, which are counted as they pass. */
  async *counting(table: string, rows: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of rows) {
      this.moved(table, chunk.length)
      yield chunk
    }
  }

  /** All rows of a table have passed. @param sum Begins with their number. */
  done(table: string, sum: string): void {
    const rows = Number.parseInt(sum, 10)
    const bytes = this.#bytes.get(table) ?? 0
    const { totals } = this
    this.#totals = {
      tables: totals.tables + 1,
      rows: totals.rows + rows,
      bytes: totals.bytes + bytes,
    }
    this.#onEvent({ kind: 'table', table, bytes, rows })
  }
}
