import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const ACCOUNTS = ['postgres', '_postgres', 'nobody']
const NOBODY = 65_534

/** Permission bits as in the last digit of a file mode. */
export const READABLE = 4
export const EXECUTABLE = 1

/** The ids that the server runs with when the caller is root, which PostgreSQL refuses. */
export interface ServerAccount {
  readonly uid: number
  readonly gid: number
}

/**
 * Finds the account for the server; `undefined` means the caller's own.
 *
 * The owner of existing data comes first, because PostgreSQL serves the data of its own account
 * only; then the system's `postgres`, and `nobody` where there is none. No account is created.
 */
export async function findServerAccount(data?: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = data === undefined ? undefined : await stat(data).catch(() => undefined)
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return pickAccount(await readFile('/etc/passwd', 'utf8').catch(() => ''))
}

function pickAccount(passwd: string): ServerAccount {
  const entries = new Map(
    passwd.split('\n').map((line) => {
      const [name, , uid, gid] = line.split(':')
      return [name, { uid: Number(uid), gid: Number(gid) }]
    }),
  )
  const found = ACCOUNTS.map((name) => entries.get(name)).find(
    (account) => account !== undefined && account.uid > 0 && account.gid > 0,
  )
  return found ?? { uid: NOBODY, gid: NOBODY }
}

/**
 * Tells whether `account` can pass through all folders above `path` and has `bits` on it.
 *
 * What does not exist yet is no obstacle. Without an account nothing changes hands, so nothing is
 * out of reach.
 */
export async function isReachable(
  path: string,
  account: ServerAccount | undefined,
  bits: number,
): Promise<boolean> {
  if (account === undefined) return true
  const entry = await stat(path).catch(() => undefined)
  if (entry !== undefined && !permits(entry, account, bits)) return false
  const parent = dirname(path)
  return parent === path || isReachable(parent, account, EXECUTABLE)
}

interface Permissions {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

function permits(entry: Permissions, account: ServerAccount, bits: number): boolean {
  const shift = entry.uid === account.uid ? 6 : entry.gid === account.gid ? 3 : 0
  return ((entry.mode >> shift) & bits) === bits
}
