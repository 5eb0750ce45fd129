import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { mkdir, readdir, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The built binary. */
export const BINARY: string = join(ROOT, 'dist/cli.js')
const BUILT = ['cli.js', 'index.js', 'migrate.js', 'testing.js'].map((name) =>
  join(ROOT, 'dist', name),
)
const LOCK = join(ROOT, 'node_modules/.tenantry-build')
const STALE_LOCK_MS = 120_000
const INTERVAL_MS = 100

/** What a call of the binary came to. */
export interface CallResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How the binary is called. */
export interface CallOptions {
  readonly cwd: string
  /** Variables that differ from those of the test run. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A call of the binary that may still be running. */
export type Call = ChildProcessByStdio<null, Readable, Readable>

/** Builds the package unless the build is newer than its source; one test file at a time. */
export async function buildBinary(): Promise<void> {
  await withLock(async () => {
    if (await isFresh()) return
    await promisify(execFile)('npx', ['tsup', '--silent', '--no-dts'], { cwd: ROOT })
  })
}

/** Calls the binary and waits for its end. */
export async function callBinary(
  args: readonly string[],
  options: CallOptions,
): Promise<CallResult> {
  return settled(startBinary(args, options))
}

/** Calls the binary without waiting for its end. */
export function startBinary(args: readonly string[], { cwd, env }: CallOptions): Call {
  return spawn(process.execPath, [BINARY, ...args], {
    cwd,
    env: { ...process.env, DEBUG: undefined, DATABASE_URL: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Waits for the end of a call. */
export async function settled(call: Call): Promise<CallResult> {
  const ended = new Promise<number | null>((resolve, reject) => {
    call.once('error', reject)
    call.once('close', resolve)
  })
  const [stdout, stderr] = await Promise.all([text(call.stdout), text(call.stderr)])
  return { code: await ended, stdout, stderr }
}

async function withLock(fn: () => Promise<void>): Promise<void> {
  while (!(await takeLock())) await sleep(INTERVAL_MS)
  try {
    await fn()
  } finally {
    await rmdir(LOCK)
  }
}

/** A folder is made by one process only, which makes it a lock. */
async function takeLock(): Promise<boolean> {
  try {
    await mkdir(LOCK)
    return true
  } catch {
    const made = await timeOf(LOCK)
    // A test run that was killed leaves its lock behind.
    if (made > 0 && Date.now() - made > STALE_LOCK_MS) await rmdir(LOCK).catch(() => {})
    return false
  }
}

async function isFresh(): Promise<boolean> {
  const sources = await readdir(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  const changed = await Promise.all(
    sources
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => timeOf(join(parentPath, name))),
  )
  const built = await Promise.all(BUILT.map(timeOf))
  return Math.min(...built) > Math.max(...changed)
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
