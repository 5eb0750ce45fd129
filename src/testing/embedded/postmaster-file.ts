import { execFile } from 'node:child_process'
import { readFile, realpath, rm } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'

/** What `postmaster.pid` says about the server of a data directory. */
export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** The file's content; `undefined` when there is none or PostgreSQL is still writing it. */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port, , , , status] = text.split('\n')
  if (pid === undefined || pid === '') return undefined
  return { pid: Number(pid), port: Number(port), ready: status?.trim() === 'ready' }
}

/**
 * Tells which server runs on `data`, and clears away a `postmaster.pid` that would block the next.
 *
 * PostgreSQL steps over the file of a dead process by itself, but not when the process id now
 * belongs to another program of the same account: after a restart of a container it often does.
 */
export async function findPostmaster(data: string): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(data)
  if (file === undefined || !isAlive(file.pid)) return undefined
  if (await servesData(await commandLine(file.pid), data)) return file
  // Another process may have put its own file in place since.
  if ((await readPostmasterFile(data))?.pid === file.pid) await rm(join(data, 'postmaster.pid'))
  return undefined
}

/** Tells whether a command line may be that of the server of `data`; if in doubt, it is. */
async function servesData(command: readonly string[] | undefined, data: string): Promise<boolean> {
  const [program, ...rest] = command ?? []
  if (program === undefined) return true
  // The server keeps its command line; its children show a title such as `postgres: writer`.
  if (!/^(postgres|postmaster)(\.exe)?$/.test(basename(program))) return false
  const folder = rest.includes('-D') ? rest[rest.indexOf('-D') + 1] : undefined
  if (folder === undefined || !isAbsolute(folder)) return true
  const [theirs, ours] = await Promise.all([realpath(folder), realpath(data)]).catch(() => [])
  return theirs === ours
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  try {
    if (process.platform !== 'linux') return [await programOf(pid)]
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return text === '' ? undefined : text.replace(/\0+$/, '').split('\0')
  } catch {
    return undefined
  }
}

// Without /proc the arguments come in one line that cannot be split safely: the program must do.
async function programOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'comm=', '-p', String(pid)])
  return stdout.trim()
}
