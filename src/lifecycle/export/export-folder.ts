import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { isMissingFile } from '../../support/missing-file.js'
import { optionInvalid } from '../../support/options.js'
import { sync } from '../backup/archive-file.js'

/** Where a folder is to be. */
export interface FreePlace {
  /** From the root. */
  readonly path: string
  /** Who may read it, where an empty folder is there already. */
  readonly mode: number | undefined
}

/**
 * Checks that nothing is in the place of a folder but, at most, an empty one.
 *
 * @throws `OPTIONS_INVALID`
 */
export async function freePlace(target: string): Promise<FreePlace> {
  const path = resolve(target)
  const found = await stat(path).catch((error: unknown) => {
    if (isMissingFile(error)) return undefined
    throw error
  })
  if (found === undefined) return { path, mode: undefined }
  if (!found.isDirectory()) throw taken(path, 'is no folder')
  if ((await readdir(path)).length > 0) throw taken(path, 'is not empty')
  // A link is to lead to the folder afterwards as well.
  return { path: await realpath(path), mode: found.mode }
}

function taken(path: string, what: string): Error {
  return optionInvalid(
    'target',
    `"${path}" exists and ${what}. Nothing was written. Name a folder that does not exist.`,
  )
}

/**
 * Lets `write` fill a folder that has its name only when all of it is on the disk: whatever stops the
 * process, a folder of that name is whole.
 */
export async function fillWhole(
  { path, mode }: FreePlace,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const part = `${path}.part-${randomBytes(4).toString('hex')}`
  await mkdir(part, mode)
  try {
    await write(part)
    await sync(part, 'r').catch(() => {})
    if (mode !== undefined) {
      await chmod(part, mode)
      // Windows does not rename to a name that is taken.
      await rmdir(path)
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
  await sync(dirname(path), 'r').catch(() => {})
}

/** Writes a new file, and waits until it is on the disk. */
export async function writeDown(
  path: string,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'w')
  try {
    await pipeline(chunks, file.createWriteStream(), signal ? { signal } : {})
  } finally {
    // A stream that has failed is still at it.
    await file.close()
  }
  await sync(path, 'r+')
}
