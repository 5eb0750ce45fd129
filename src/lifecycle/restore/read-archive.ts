import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { BrokenArchive, type Frame, framesOf } from '../backup/archive-frame.js'
import {
  ARCHIVE_FORMAT,
  type ArchiveHeader,
  type ArchivedSequence,
  type FixedHeader,
  type TableEndRecord,
  isEnd,
  isFixedHeader,
  isHeader,
  isSequences,
  isTable,
  isTableEnd,
  isWholeHeader,
} from '../backup/archive-record.js'
import { archiveNewer, explainArchive, ofNoTenant } from './archive-error.js'

/** An archive that is being read, from its begin to its end, once. */
export interface OpenArchive<Header = ArchiveHeader> {
  readonly header: Header
  /**
   * Hands over the rows of each table, which have to be taken before the next table comes.
   *
   * @throws {@link BrokenArchive} also where the end of the archive is missing
   */
  readRows(taker: RowTaker): Promise<ArchiveEnd>
}

/** What the rows of an archive are for. */
export interface RowTaker {
  /** Takes all rows of a table. */
  readonly fill: (table: string, rows: AsyncIterable<Buffer>) => Promise<void>
  /** Hears what they come to. */
  readonly filled: (table: string, sum: string) => void
}

/** What an archive says of the rows after it has given them. */
export interface ArchiveEnd {
  /** What the rows of each table come to. */
  readonly sums: ReadonlyMap<string, string>
  readonly sequences: readonly ArchivedSequence[]
}

/**
 * Opens the archive of a tenant while `work` runs.
 *
 * @throws `ARCHIVE_INVALID`, `ARCHIVE_NEWER`, and what `work` throws
 */
export function withArchive<R>(
  source: string | Readable,
  work: (archive: OpenArchive) => Promise<R>,
): Promise<R> {
  return withOpen(source, isWholeHeader, work)
}

/** Opens the archive of a shared or a static schema while `work` runs; see {@link withArchive}. */
export function withFixedArchive<R>(
  source: string,
  work: (archive: OpenArchive<FixedHeader>) => Promise<R>,
): Promise<R> {
  return withOpen(source, isFixedHeader, work)
}

async function withOpen<Header, R>(
  source: string | Readable,
  isWanted: (input: unknown) => input is Header,
  work: (archive: OpenArchive<Header>) => Promise<R>,
): Promise<R> {
  const input = typeof source === 'string' ? createReadStream(source) : source
  const plain = createGunzip({ chunkSize: 256 * 1024 })
  // Its failure is that of whoever reads on.
  pipeline(input, plain, () => {})
  try {
    return await work(await openArchive(plain, isWanted))
  } catch (error) {
    throw explainArchive(error, typeof source === 'string' ? source : undefined)
  } finally {
    plain.destroy()
    input.destroy()
  }
}

async function openArchive<Header>(
  plain: AsyncIterable<Buffer>,
  isWanted: (input: unknown) => input is Header,
): Promise<OpenArchive<Header>> {
  const reader = new ArchiveReader(framesOf(plain))
  const header = await reader.line()
  if (!isHeader(header)) throw new BrokenArchive('it does not begin as one of tenantry does')
  const { format } = header
  if (typeof format !== 'number' || format > ARCHIVE_FORMAT) throw archiveNewer(format)
  if (!isWanted(header)) throw isFixedHeader(header) ? ofNoTenant(header) : headerBroken()
  return { header, readRows: (taker) => reader.readRows(taker) }
}

function headerBroken(): BrokenArchive {
  return new BrokenArchive('its header is not whole')
}

class ArchiveReader {
  readonly #frames: AsyncGenerator<Frame, void>
  readonly #lines = createHash('sha256')

  constructor(frames: AsyncGenerator<Frame, void>) {
    this.#frames = frames
  }

  /** The next line, where no rows are expected. */
  async line(): Promise<unknown> {
    const frame = await this.#next()
    if (frame.kind === 'data') throw new BrokenArchive('it has rows of no table')
    return frame.value
  }

  async readRows({ fill, filled }: RowTaker): Promise<ArchiveEnd> {
    const sums = new Map<string, string>()
    let sequences: readonly ArchivedSequence[] = []
    for (;;) {
      // That of all lines before this one.
      const digest = this.#lines.copy().digest('hex')
      const value = await this.line()
      if (isTable(value)) {
        const ends: TableEndRecord[] = []
        await fill(value.table, this.#rows(value.table, ends))
        for (const { sum } of ends) {
          sums.set(value.table, sum)
          filled(value.table, sum)
        }
      } else if (isSequences(value)) {
        sequences = value.sequences
      } else if (isEnd(value)) {
        if (value.sha256 !== digest) throw new BrokenArchive('its lines were changed')
        if ((await this.#frames.next()).done !== true) throw new BrokenArchive('it goes on')
        return { sums, sequences }
      } else throw new BrokenArchive('a line in it has no meaning')
    }
  }

  async *#rows(table: string, ends: TableEndRecord[]): AsyncGenerator<Buffer, void> {
    const hash = createHash('sha256')
    for (;;) {
      const frame = await this.#next()
      if (frame.kind === 'data') {
        hash.update(frame.bytes)
        yield frame.bytes
      } else {
        const end = frame.value
        if (!isTableEnd(end) || end.tableEnd !== table || end.sha256 !== hash.digest('hex')) {
          throw new BrokenArchive(`the rows of table ${table} are not those that were written`)
        }
        ends.push(end)
        return
      }
    }
  }

  async #next(): Promise<Frame> {
    const next = await this.#frames.next()
    if (next.done === true) throw new BrokenArchive('its end is missing')
    if (next.value.kind === 'line') this.#lines.update(next.value.line)
    return next.value
  }
}
