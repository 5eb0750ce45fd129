import { execFile, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { BrokenArchive } from '../backup/archive-frame.js'
import { programMissing } from './program-error.js'

/** A program of PostgreSQL's, and how it is called. */
export interface ProgramCall {
  readonly program: string
  readonly args: readonly string[]
  /** All variables that it sees. @defaultValue those of this process */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Stops it. */
  readonly signal?: AbortSignal | undefined
}

/** A program that did not end as it should. */
export class ProgramFailed extends Error {
  /** The last of what it said. */
  readonly said: string

  constructor(how: string, said: string) {
    super(`${how}: ${said}`)
    this.said = said
  }
}

/** A program says the reason last, and may say much before. */
const SAID_LENGTH = 4000

/**
 * The major version of a program, such as 18.
 *
 * @throws `PG_DUMP_UNFIT` when it cannot be run
 */
export async function majorVersionOf(program: string): Promise<number> {
  const { stdout } = await promisify(execFile)(program, ['--version']).catch((error: unknown) => {
    throw programMissing(program, error)
  })
  const [, major] = /\(PostgreSQL\) (\d+)/.exec(stdout) ?? []
  if (major === undefined) throw programMissing(program, new Error(`It says: ${stdout.trim()}`))
  return Number(major)
}

/**
 * Runs a program while `work` reads what it writes; it has ended when this has.
 *
 * @throws {@link ProgramFailed} also where `work` has found its output to be cut off
 */
export async function withProgram<R>(
  { program, args, environment, signal }: ProgramCall,
  work: (output: Readable) => Promise<R>,
): Promise<R> {
  signal?.throwIfAborted()
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(environment && { env: environment }),
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-SAID_LENGTH)
  })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', ({ message }) => resolve(`${program} cannot be started (${message})`))
    child.once('close', (code, by) => {
      if (code === 0) resolve(undefined)
      else resolve(`${program} ${code === null ? `was ended by ${by}` : `ended with code ${code}`}`)
    })
  })
  const stop = (): void => void child.kill()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const result = await work(child.stdout)
    await requireGoodEnd(ended, () => said)
    return result
  } catch (error) {
    // The program knows better why there is no more of it.
    if (error instanceof BrokenArchive) await requireGoodEnd(ended, () => said)
    throw error
  } finally {
    stop()
    child.stdout.destroy()
    await ended
    signal?.removeEventListener('abort', stop)
  }
}

async function requireGoodEnd(
  ended: Promise<string | undefined>,
  said: () => string,
): Promise<void> {
  const how = await ended
  if (how !== undefined) throw new ProgramFailed(how, said().trim())
}
