import { BrokenArchive } from '../backup/archive-frame.js'

/** A piece of the data in a script: a statement, or a COPY with its rows, which have to be read. */
export type DataPiece =
  | { readonly kind: 'statement'; readonly text: string }
  | { readonly kind: 'copy'; readonly text: string; readonly rows: AsyncIterable<Buffer> }

const NEWLINE = 10
/** Ends the rows of a COPY; in rows a backslash is never alone. */
const END = Buffer.from('\\.\n')
const END_AFTER_ROWS = Buffer.from('\n\\.\n')
const COPY = /^COPY [^]* FROM stdin;\s*$/

/**
 * Takes apart what `pg_restore --section=data` writes: it has no dollar quotes, a statement ends at
 * the end of a line, and the rows are as COPY wants them. Nothing of them is kept.
 *
 * @throws {@link BrokenArchive} when it ends in the middle
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export async function* dataPieces(script: AsyncIterable<Buffer>): AsyncGenerator<DataPiece, void> {
  const reader = new ByteReader(script)
  let text = ''
  let quote = ''
  for (;;) {
    const line = await reader.line()
    if (line === undefined) break
    // Comments, and orders to psql, which are not SQL.
    if (text === '' && (line.trim() === '' || /^(--|\\)/.test(line))) continue
    text += line
    quote = quoteAfter(line, quote)
    if (quote !== '' || !line.trimEnd().endsWith(';')) continue
    if (COPY.test(text)) yield { kind: 'copy', text, rows: reader.rows() }
    else yield { kind: 'statement', text }
    text = ''
  }
  if (text !== '') throw new BrokenArchive('its end is missing')
}

/** The quotation mark that is open behind a line; one that is doubled closes and opens. */
function quoteAfter(line: string, before: string): string {
  let open = before
  for (const [mark] of line.matchAll(/['"]/g)) {
    if (open === '') open = mark
    else if (open === mark) open = ''
  }
  return open
}

class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next line with its end, or nothing where there is no more. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(NEWLINE)
      if (end !== -1) return this.#take(end + 1).toString()
      if (await this.#more()) continue
      return this.#rest.length === 0 ? undefined : this.#take(this.#rest.length).toString()
    }
  }

  /** The rows of a COPY up to their end. */
  async *rows(): AsyncGenerator<Buffer, void> {
    while (this.#rest.length < END.length) await this.#must()
    if (this.#rest.subarray(0, END.length).equals(END)) {
      this.#take(END.length)
      return
    }
    for (;;) {
      const end = this.#rest.indexOf(END_AFTER_ROWS)
      if (end !== -1) {
        yield this.#take(end + 1)
        this.#take(END.length)
        return
      }
      // The end may have come in part.
      const sure = this.#rest.length - END.length
      if (sure > 0) yield this.#take(sure)
      await this.#must()
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(bytes)
    return taken
  }

  async #must(): Promise<void> {
    if (!(await this.#more())) throw new BrokenArchive('its rows have no end')
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}
