import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const BINARY = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))

/** What a command of the `tenantry` command line came to. */
export interface CommandResult {
  readonly exitCode: number
  /** The lines of its output. */
  readonly lines: readonly string[]
  /** What it wrote to stderr. */
  readonly error: string
}

/** Runs `tenantry` with the given arguments. */
export type Tenantry = (...args: readonly string[]) => Promise<CommandResult>

/** The command line of the service in `folder`, on the database at `url`. */
export function tenantryIn(folder: string, url: string): Tenantry {
  return async (...args) => {
    const child = spawn(process.execPath, [BINARY, ...args], {
      cwd: folder,
      env: { ...process.env, DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)])
    const lines = output.split('\n').filter((line) => line !== '')
    return { exitCode: await ended, lines, error: error.trim() }
  }
}
