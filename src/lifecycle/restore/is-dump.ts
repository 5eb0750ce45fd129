import { open } from 'node:fs/promises'

/** What each archive in the custom format of `pg_dump` begins with. */
const MAGIC = 'PGDMP'

/** Tells whether a file is an archive of `pg_dump`; one that cannot be read is not known to be. */
export async function isDump(path: string): Promise<boolean> {
  const begin = Buffer.alloc(MAGIC.length)
  try {
    const file = await open(path)
    try {
      await file.read(begin, 0, begin.length, 0)
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
  return begin.toString('latin1') === MAGIC
}
