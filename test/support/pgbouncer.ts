import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { freePort } from './free-port.js'
import { NOBODY } from './nobody.js'

const PATIENCE_MS = 10_000

/** A PgBouncer that can be started. */
export interface PgBouncerProgram {
  readonly path: string
  readonly version: string
  /** Tells whether it is at least `1.minor`. */
  atLeast(minor: number): boolean
}

/** How a PgBouncer is run. */
export interface PgBouncerOptions {
  readonly program: PgBouncerProgram
  /** URL of the database behind it. */
  readonly url: string
  readonly mode: 'transaction' | 'session' | 'statement'
  /** How many server connections it may have. */
  readonly size: number
  /** More settings of `pgbouncer.ini`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PgBouncer in front of a database. */
export interface PgBouncer extends AsyncDisposable {
  /** URL to connect to instead of the database's own. */
  readonly url: string
  stop(): Promise<void>
}

/**
 * Finds PgBouncer: the program that `TENANTRY_PGBOUNCER` names, or else the one on the `PATH`.
 *
 * Says on the console which one it is, or why there is none.
 */
export async function findPgBouncer(): Promise<PgBouncerProgram | undefined> {
  const path = process.env['TENANTRY_PGBOUNCER'] ?? 'pgbouncer'
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'])
    const [, version = '', minor = '0'] = /PgBouncer (\d+\.(\d+)\.\d+)/.exec(stdout) ?? []
    console.log(`Tests use PgBouncer ${version}`)
    return { path, version, atLeast: (asked) => Number(minor) >= asked }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    console.log(`Tests with PgBouncer are skipped, it could not be run: ${why}`)
    return undefined
  }
}

/** Starts a PgBouncer on a free port, with a configuration of its own. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-test-'))
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, configuration(options, port))
  const account = await handOver(folder, file)
  const child = spawn(options.program.path, ['--quiet', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...account,
  })
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)
  const log: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  const stop = async (): Promise<void> => {
    await end(child)
    process.off('exit', killed)
    await rm(folder, { recursive: true, force: true })
  }
  const url = throughPort(options.url, port)
  try {
    await untilAnswers(url, child)
  } catch (error) {
    await stop()
    throw new Error(`PgBouncer did not start:\n${log.join('')}`, { cause: error })
  }
  return { url, stop, [Symbol.asyncDispose]: stop }
}

/**
 * Every client is let in, and logs in at the server as the administrator of the URL: PgBouncer can
 * answer SCRAM only with the password itself.
 */
function configuration({ url, mode, size, settings = {} }: PgBouncerOptions, port: number): string {
  const { hostname, port: serverPort, username, password } = new URL(url)
  const login = { host: hostname, port: serverPort || '5432', user: username, password }
  const database = Object.entries(login).filter(([, value]) => value !== '')
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: mode,
    default_pool_size: String(size),
    max_client_conn: '200',
    ...settings,
  }
  return [
    '[databases]',
    `* = ${database.map(([key, value]) => `${key}=${decodeURIComponent(value)}`).join(' ')}`,
    '[pgbouncer]',
    ...Object.entries(own).map(([key, value]) => `${key} = ${value}`),
    '',
  ].join('\n')
}

/** PgBouncer refuses to run as root; the configuration, with its password, is for nobody else. */
async function handOver(
  folder: string,
  file: string,
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  await chmod(file, 0o600)
  if (process.getuid?.() !== 0) return undefined
  await chown(folder, NOBODY, NOBODY)
  await chown(file, NOBODY, NOBODY)
  return { uid: NOBODY, gid: NOBODY }
}

function throughPort(url: string, port: number): string {
  const changed = new URL(url)
  changed.host = `127.0.0.1:${port}`
  return changed.href
}

async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with code ${child.exitCode}.`)
    try {
      await answer(url)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(50)
    }
  }
}

async function answer(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
