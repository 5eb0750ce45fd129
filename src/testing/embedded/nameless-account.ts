import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import type { PostgresBinaries } from './postgres-binaries.js'
import type { ServerAccount } from './server-account.js'

/**
 * Tells whether the server's user id has no name on this system.
 *
 * Containers that run with an arbitrary user id are like that, and `initdb` refuses them. On other
 * systems than Linux an id without a name is unheard of.
 */
export async function isNameless(account: ServerAccount | undefined): Promise<boolean> {
  if (process.platform !== 'linux') return false
  if (account === undefined) return !canLookUpOwnName()
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return !passwd.split('\n').some((line) => line.split(':')[2] === String(account.uid))
}

/**
 * Makes copied programs run for a user id without a name.
 *
 * They look their own name up for messages and as a default for `--username`, which is given here,
 * and give up without one. The call is led to `getpwent`, which answers with the first account of
 * the system whatever it is asked. Programs without that call are left as they are.
 */
export async function acceptNameless(binaries: PostgresBinaries): Promise<void> {
  for (const program of [binaries.initdb, binaries.postgres]) {
    const code = await readFile(program)
    const at = code.indexOf('\0getpwuid\0')
    if (at === -1) continue
    code.write('getpwent', at + 1, 'latin1')
    await writeFile(program, code)
  }
}

function canLookUpOwnName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}
