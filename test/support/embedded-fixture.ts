import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('fixtures/start-embedded.ts', import.meta.url))

/** Runs `fn` with a temporary folder that any account may enter, and removes it. */
export async function withFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'embedded-test-')))
  await chmod(folder, 0o755)
  try {
    return await fn(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts a Node process, leading its own group, that starts a server with `folder` as TMPDIR. */
export function spawnStarter(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], {
    // The loader keeps its cache in the temporary folder, which has to end up empty.
    env: { ...process.env, TMPDIR: folder, TSX_DISABLE_CACHE: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Resolves with the first line of the process's output that matches. */
export async function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (child.stdout === null) throw new Error('The process has no output to read.')
  for await (const line of createInterface({ input: child.stdout })) {
    if (pattern.test(line)) return line
  }
  throw new Error(`The process ended before it wrote ${String(pattern)}.`)
}

/** Sends a signal to the group that `child` leads, as a terminal does, and waits for its end. */
export async function killGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined) throw new Error('The process was not started.')
  const exited = once(child, 'exit')
  process.kill(-child.pid, signal)
  await exited
}

/** What is left of the servers that worked in `folder`: files and processes. */
export async function remains(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder)
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args='])
  const processes = stdout.split('\n').filter((line) => line.includes(folder))
  return [...files, ...processes]
}
