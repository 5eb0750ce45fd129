import { createHash } from 'node:crypto'
import { chmod, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { TenantryError } from '../../errors.js'
import { EXECUTABLE, findServerAccount, isReachable, type ServerAccount } from './server-account.js'

const SHARED_STATE = '/var/lib/tenantry'

/** Where persistent data lives, and the account that serves it. */
export interface PersistentDirectory {
  /** Holds `data/` and `server.json`. */
  readonly path: string
  /** PostgreSQL's own data directory. */
  readonly data: string
  readonly account: ServerAccount | undefined
}

/**
 * Makes the directory for persistent data, elsewhere if the server's account cannot get at it.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED`
 */
export async function openDirectory(requested: string): Promise<PersistentDirectory> {
  const asked = resolve(requested)
  const account = await findServerAccount(join(asked, 'data'))
  const chosen = (await isReachable(asked, account, EXECUTABLE)) ? asked : elsewhere(asked)
  try {
    await makeFolders(chosen, account)
    const path = await realpath(chosen)
    const data = join(path, 'data')
    return { path, data, account: await findServerAccount(data) }
  } catch (error) {
    throw new TenantryError(
      'EMBEDDED_POSTGRES_FAILED',
      `The data directory ${chosen} cannot be made. Choose one that this user may write to.`,
      { cause: error, option: 'dataDirectory' },
    )
  }
}

function elsewhere(asked: string): string {
  const hash = createHash('sha256').update(asked).digest('hex').slice(0, 12)
  return join(SHARED_STATE, `${basename(asked)}-${hash}`)
}

async function makeFolders(folder: string, account: ServerAccount | undefined): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined || account === undefined) return
  // A strict umask of root would lock the server's account out of what was just made.
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await chmod(made, 0o755)
  }
}
