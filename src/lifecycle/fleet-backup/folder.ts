import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TenantryError } from '../../errors.js'
import { lockKey } from '../../postgres/advisory-lock.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { Database } from '../../postgres/database.js'

/** What a process that was killed has left; see `writeWhole`. */
const PART = /\.part-[0-9a-f]{8}$/

/**
 * Runs `work` on a folder that nobody else of this database writes to, without what was left half
 * written.
 *
 * The lock is the server's, which ends with the connection: a file would outlive a killed process.
 *
 * @throws `BACKUP_BUSY`
 */
export async function inFolder<R>(
  db: Database,
  path: string,
  work: (folder: string) => Promise<R>,
): Promise<R> {
  await mkdir(path, { recursive: true })
  const folder = await realpath(path)
  return db.transaction(async (client) => {
    await client.query('set local idle_in_transaction_session_timeout = 0')
    const { rows } = await client.query<{ free: string | null }>(
      `select ${yesIf('pg_try_advisory_xact_lock($1)')} as free`,
      [lockKey('folder', hostname(), folder)],
    )
    if (!isYes(rows[0]?.free)) throw folderBusy(folder)
    for (const name of await readdir(folder)) {
      if (PART.test(name)) await rm(join(folder, name), { force: true })
    }
    return work(folder)
  })
}

function folderBusy(folder: string): TenantryError {
  return new TenantryError(
    'BACKUP_BUSY',
    `Another process writes archives to "${folder}". Wait until it has ended, or name another folder.`,
    { file: folder },
  )
}
