import type { ArchiveRecord } from './archive-record.js'

/** A part of an archive: a line of JSON, or bytes of a table's rows. */
export type Frame =
  | { readonly kind: 'line'; readonly line: Buffer; readonly value: unknown }
  | { readonly kind: 'data'; readonly bytes: Buffer }

/** Longer lines are no archive's, and would fill the memory. */
const MAX_LINE_BYTES = 256 * 1024 * 1024
const NEWLINE = 10

/** A line of an archive. */
export function lineOf(record: ArchiveRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`)
}

/** What stands in front of bytes of rows: their number is known, that of the whole table is not. */
export function dataLine(bytes: number): Buffer {
  return Buffer.from(`{"data":${bytes}}\n`)
}

/** What is no archive, or none any more. */
export class BrokenArchive extends Error {}

/**
 * Takes an archive apart; of bytes that are announced together, some may come earlier.
 *
 * @throws {@link BrokenArchive}
 */
export async function* framesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let rest: Buffer = Buffer.alloc(0)
  let dataBytes = 0
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length > 0) {
      if (dataBytes > 0) {
        const bytes = rest.subarray(0, dataBytes)
        rest = rest.subarray(bytes.length)
        dataBytes -= bytes.length
        yield { kind: 'data', bytes }
        continue
      }
      const end = rest.indexOf(NEWLINE)
      if (end === -1) break
      const line = rest.subarray(0, end + 1)
      rest = rest.subarray(end + 1)
      const value = valueOf(line)
      dataBytes = bytesIn(value)
      if (dataBytes === 0) yield { kind: 'line', line, value }
    }
    if (rest.length > MAX_LINE_BYTES) throw new BrokenArchive('a line in it has no end')
  }
  if (dataBytes > 0 || rest.length > 0) throw new BrokenArchive('its end is missing')
}

function valueOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch (error) {
    throw new BrokenArchive('a line in it is no JSON', { cause: error })
  }
}

function bytesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || !('data' in value)) return 0
  if (typeof value.data === 'number' && Number.isSafeInteger(value.data) && value.data > 0) {
    return value.data
  }
  throw new BrokenArchive('a line in it has no number of bytes')
}
