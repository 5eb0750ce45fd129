import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { TenantryError } from 'tenantry'
import type { ChildEnvironment } from './child-environment.js'

/** A program of somebody else's, and how it is started. */
export interface ChildCall {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: ChildEnvironment
  /** Its working directory. */
  readonly folder: string
  /**
   * Hears each line that the program writes. Without it the program has the terminal, and its stdout
   * is ours, or our stderr.
   */
  readonly onLine: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined
  readonly stdout: 'inherit' | 'stderr'
}

/** The programs that are running, to which signals are passed on. */
export class Children {
  readonly #running = new Set<ChildProcess>()

  /**
   * Runs a program to its end.
   *
   * @throws `RUN_FAILED` when it cannot be started, or ends with another code than 0.
   */
  async run(call: ChildCall): Promise<void> {
    const child = start(call)
    this.#running.add(child)
    try {
      await ended(child, call.program)
    } finally {
      this.#running.delete(child)
    }
  }

  /** Passes signals on to the programs while `fn` runs, also more than one. */
  async passingSignals<T>(fn: () => Promise<T>): Promise<T> {
    // A terminal sends Ctrl-C to all that it runs; once more would be twice.
    const names = process.stdin.isTTY ? (['SIGTERM'] as const) : (['SIGINT', 'SIGTERM'] as const)
    const pass = (name: NodeJS.Signals): void => {
      for (const child of this.#running) child.kill(name)
    }
    for (const name of names) process.on(name, pass)
    try {
      return await fn()
    } finally {
      for (const name of names) process.off(name, pass)
    }
  }
}

function start({ program, args, environment, folder, onLine, stdout }: ChildCall): ChildProcess {
  const env = { ...process.env, ...environment }
  if (onLine === undefined) {
    const own = stdout === 'stderr' ? process.stderr.fd : 'inherit'
    return spawn(program, args, { cwd: folder, env, stdio: ['inherit', own, 'inherit'] })
  }
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const listen = (input: Readable, stream: 'stdout' | 'stderr'): void => {
    createInterface({ input, crlfDelay: Infinity }).on('line', (line) => onLine(line, stream))
  }
  listen(child.stdout, 'stdout')
  listen(child.stderr, 'stderr')
  return child
}

async function ended(child: ChildProcess, program: string): Promise<void> {
  const how = await new Promise<string | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve(`cannot be started: ${message}`))
    // Not `exit`: what it wrote may still be on its way then.
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(undefined)
      resolve(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`)
    })
  })
  if (how !== undefined) throw new TenantryError('RUN_FAILED', `"${program}" ${how}.`)
}
