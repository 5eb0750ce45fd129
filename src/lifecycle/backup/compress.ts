import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

const compressed = promisify(gzip)

/** Large enough to compress well, small enough for several of them to be in memory. */
const BLOCK_BYTES = 512 * 1024

/** How many blocks are compressed at the same time, of the four threads that Node has by default. */
const BLOCKS_AT_ONCE = 2

/**
 * Compresses in blocks, each on another thread: one alone is slower than the server reads. Gzip files
 * put one behind the other are a gzip file.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952#page-5
 */
export async function* compress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const underway: Promise<Buffer>[] = []
  for await (const block of blocksOf(chunks)) {
    const work = compressed(block, { level: constants.Z_BEST_SPEED })
    // It is awaited later; until then its failure is nobody's.
    work.catch(() => {})
    underway.push(work)
    const next = underway.length > BLOCKS_AT_ONCE ? underway.shift() : undefined
    if (next !== undefined) yield await next
  }
  for (const block of underway) yield await block
}

/**
 * Gathers chunks into blocks. Their buffers come by turns, one more than are compressed at once: to
 * take new ones would leave as much garbage as there are bytes.
 */
async function* blocksOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const buffers: Buffer[] = []
  let block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  let filled = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      const bytes = chunk.copy(block, filled, taken)
      taken += bytes
      filled += bytes
      if (filled < BLOCK_BYTES) continue
      yield block
      buffers.push(block)
      const free = buffers.length > BLOCKS_AT_ONCE ? buffers.shift() : undefined
      block = free ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
      filled = 0
    }
  }
  yield block.subarray(0, filled)
}
