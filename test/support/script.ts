import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A process of its own that runs a script with the built package. */
export interface Script extends AsyncDisposable {
  /** Waits for its first words. */
  readonly spoken: Promise<string>
  /** Waits for its end, which it comes to by itself. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

/**
 * Runs a script, as a module that can import `tenantry`; build the package first.
 *
 * @param values What it finds in `process.env`.
 */
export function runScript(source: string, values: Readonly<Record<string, string>>): Script {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    ['--input-type=module', '--eval', source],
    { cwd: ROOT, env: { ...process.env, ...values }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const errors = text(child.stderr)
  const closed = once(child, 'close')
  const spoken = Promise.race([
    once(child.stdout, 'data').then(String),
    closed.then(async () => Promise.reject(new Error(`It ended in silence: ${await errors}`))),
  ])
  // Who waits for the end alone has no use for its words.
  spoken.catch(() => {})
  return {
    spoken,
    ended: closed.then(async () => ({ code: child.exitCode, stderr: await errors })),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}
