import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'

/**
 * Lets `write` fill a file that has its name only when all of it is on the disk: whatever stops the
 * process, a file of that name is whole. One that was there before is there until then.
 */
export async function writeWhole(
  path: string,
  write: (target: Writable) => Promise<void>,
): Promise<void> {
  const whole = resolve(path)
  const part = `${whole}.part-${randomBytes(4).toString('hex')}`
  const file = await open(part, 'wx')
  try {
    try {
      await write(file.createWriteStream({ autoClose: false }))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, whole)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await syncFolder(dirname(whole))
}

/** A new name is on the disk only with its folder; where folders cannot be opened, it has to do. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => {})
  await handle?.sync().catch(() => {})
  await handle?.close()
}
