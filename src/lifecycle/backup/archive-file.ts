import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'

/** {@link writeFileWhole} by a stream. */
export function writeWhole(
  path: string,
  write: (target: Writable) => Promise<void>,
): Promise<void> {
  return writeFileWhole(path, (part) => write(createWriteStream(part, { flags: 'wx' })))
}

/**
 * Lets `write` make a file that has its name only when all of it is on the disk: whatever stops the
 * process, a file of that name is whole. One that was there before is there until then.
 */
export async function writeFileWhole(
  path: string,
  write: (part: string) => Promise<void>,
): Promise<void> {
  const whole = resolve(path)
  const part = `${whole}.part-${randomBytes(4).toString('hex')}`
  try {
    await write(part)
    await sync(part, 'r+')
    await rename(part, whole)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  // A new name is on the disk only with its folder; where folders cannot be opened, it has to do.
  await sync(dirname(whole), 'r').catch(() => {})
}

/** Waits until what was written is on the disk. */
export async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
