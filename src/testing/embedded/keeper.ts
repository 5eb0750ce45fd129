import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { parse } from 'node:path'
import { createInterface } from 'node:readline'
import { KEEPER_SCRIPT } from './keeper-script.js'
import { startEnvironment } from './start-environment.js'

const LOG_LIMIT = 60

/** A program for the keeper to start. */
export interface KeptCommand {
  readonly command: string
  readonly args: readonly string[]
  /** Working directory and, where the caller is root, the ids to run with. */
  readonly options: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    readonly uid?: number
    readonly gid?: number
  }
}

/** A process below the keeper, as far as the keeper has told. */
export interface KeptProcess {
  /** Process id, once the keeper has started it. */
  readonly pid: number | undefined
  /** Resolves with `exit code 1`, `signal SIGINT` or the reason why it could not be started. */
  readonly ended: Promise<string>
  /** The last lines of its output. */
  readonly log: string
}

/**
 * A process between this one and the server, which outlives this one just long enough to clean up.
 *
 * The pipe to it is the lifeline: it breaks when this process ends, however it ends, and the keeper
 * then stops what it started and removes what it owns.
 */
export class Keeper {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  readonly #processes = new Map<number, Kept>()

  constructor() {
    this.#child = spawn(process.execPath, ['-e', KEEPER_SCRIPT], {
      cwd: parse(process.cwd()).root,
      env: startEnvironment(),
      detached: true,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.once('error', () => resolve())
    })
    // A keeper that is gone is noticed by its exit; writing to it need not throw as well.
    this.#child.stdin?.on('error', () => {})
    void this.#exited.then(() => this.#endAll())
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#receive(line))
    }
  }

  /** Has `path` removed at the end; call it before the path is made, so that it cannot be left. */
  own(path: string): void {
    this.#send({ own: path })
  }

  /** Starts a program below the keeper; `onLine` gets each line of its output. */
  run(command: KeptCommand, onLine?: (line: string) => void): KeptProcess {
    const id = this.#processes.size
    const kept = new Kept(onLine)
    this.#processes.set(id, kept)
    if (this.#child.exitCode === null) this.#send({ id, ...command })
    else kept.end('the keeper has ended')
    return kept
  }

  /** Lets the event loop of this process end while the keeper still runs. */
  unref(): void {
    this.#child.unref()
    for (const stream of [this.#child.stdin, this.#child.stdout]) {
      if (stream instanceof Socket) stream.unref()
    }
  }

  /** Resolves when all processes have ended and all owned paths are removed. */
  async close(): Promise<void> {
    this.#child.ref()
    this.#child.stdin?.end()
    await this.#exited
  }

  #send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  #receive(line: string): void {
    const message: unknown = JSON.parse(line)
    if (!isKeeperMessage(message)) return
    const kept = this.#processes.get(message.id)
    if (message.pid !== undefined) kept?.start(message.pid)
    if (message.line !== undefined) kept?.add(message.line)
    if (message.ended !== undefined) kept?.end(message.ended)
  }

  #endAll(): void {
    for (const kept of this.#processes.values()) kept.end('the keeper has ended')
  }
}

class Kept implements KeptProcess {
  readonly ended: Promise<string>
  #pid: number | undefined
  #lines: readonly string[] = []
  #end: (reason: string) => void = () => {}
  readonly #onLine: ((line: string) => void) | undefined

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  get pid(): number | undefined {
    return this.#pid
  }

  get log(): string {
    return this.#lines.join('\n')
  }

  start(pid: number): void {
    this.#pid = pid
  }

  add(line: string): void {
    this.#lines = [...this.#lines, line].slice(-LOG_LIMIT)
    this.#onLine?.(line)
  }

  end(reason: string): void {
    this.#end(reason)
  }
}

interface KeeperMessage {
  readonly id: number
  readonly pid?: number
  readonly line?: string
  readonly ended?: string
}

// The other end is this package's own script: the shape needs a guard for the compiler only.
function isKeeperMessage(message: unknown): message is KeeperMessage {
  return typeof message === 'object' && message !== null && 'id' in message
}
