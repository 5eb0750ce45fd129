import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** What tells whether a file is still the one that was written. */
export interface FileDigest {
  readonly sha256: string
  readonly bytes: number
}

/** The SHA-256 of a file, and how many bytes it has. */
export async function digestOfFile(path: string, signal?: AbortSignal): Promise<FileDigest> {
  const hash = createHash('sha256')
  const input = createReadStream(path)
  await pipeline(input, hash, signal ? { signal } : {})
  return { sha256: hash.digest('hex'), bytes: input.bytesRead }
}
