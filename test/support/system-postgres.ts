import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { freePort } from './free-port.js'
import { NOBODY } from './nobody.js'

const ROOT = '/usr/lib/postgresql'
const PATIENCE_MS = 30_000

/** The programs of a PostgreSQL that the system has. */
export interface SystemPostgres {
  readonly major: number
  program(name: string): string
}

/** Finds the newest PostgreSQL of the system, server and `pg_dump`; says why there is none. */
export async function findSystemPostgres(): Promise<SystemPostgres | undefined> {
  const versions = (await readdir(ROOT).catch(() => []))
    .map(Number)
    .filter((major) => major >= 14)
    .toSorted((a, b) => b - a)
  for (const major of versions) {
    const program = (name: string): string => join(ROOT, String(major), 'bin', name)
    const wanted = ['postgres', 'initdb', 'pg_dump', 'pg_restore'].map((name) =>
      access(program(name)).then(
        () => true,
        () => false,
      ),
    )
    if ((await Promise.all(wanted)).every(Boolean)) return { major, program }
  }
  console.log(`Tests with pg_dump are skipped: below ${ROOT} is no PostgreSQL with pg_dump.`)
  return undefined
}

/** A server of the system's PostgreSQL for a test file; it asks for a password. */
export async function useSystemServer(
  system: SystemPostgres | undefined,
): Promise<{ readonly url: string } | undefined> {
  if (system === undefined) return undefined
  const port = await freePort()
  const stops: (() => Promise<void>)[] = []
  const url = `postgres://postgres:%C3%9F%20secret@127.0.0.1:${port}/postgres`
  beforeAll(async () => {
    stops.push(await start(system, { port, url }))
  })
  afterAll(async () => {
    for (const stop of stops) await stop()
  })
  return { url }
}

async function start(
  { program }: SystemPostgres,
  { port, url }: { readonly port: number; readonly url: string },
): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'system-postgres-'))
  const data = join(folder, 'data')
  const password = join(folder, 'password')
  await mkdir(data)
  await writeFile(password, decodeURIComponent(new URL(url).password))
  const account = await handOver([folder, data, password])
  const setUp = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${password}`]
  const way = { cwd: folder, ...account }
  await promisify(execFile)(program('initdb'), [...setUp, '-E', 'UTF8', '--no-sync'], way)
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_locks_per_transaction=256',
  ]
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const child = spawn(program('postgres'), args, { ...way, stdio: 'ignore' })
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)
  await untilAnswers(url)
  return async () => {
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    await ended
    process.off('exit', killed)
    await rm(folder, { recursive: true, force: true })
  }
}

/** PostgreSQL refuses to run as root. */
async function handOver(paths: readonly string[]): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {}
  for (const path of paths) {
    await chown(path, NOBODY, NOBODY)
    await chmod(path, 0o700)
  }
  return { uid: NOBODY, gid: NOBODY }
}

async function untilAnswers(url: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const client = new Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await delay(50)
    }
  }
}
