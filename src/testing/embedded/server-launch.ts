import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TenantryError } from '../../errors.js'
import type { KeptProcess } from './keeper.js'
import { readPostmasterFile } from './postmaster-file.js'
import { commandOf, startFailed, type ServerSession } from './server-session.js'

const LOOPBACK = '127.0.0.1'
const PORT_TRIES = 3
const READY_TIMEOUT_MS = 60_000
const READY_INTERVAL_MS = 15

/** A server's configuration, by the names of `postgresql.conf`. */
export type ServerSettings = Readonly<Record<string, string>>

/** Which server to run. */
export interface LaunchOptions {
  readonly data: string
  readonly settings: ServerSettings
  /** The only port to take; it is an error if it is in use. */
  readonly fixedPort?: number | undefined
  /** The port to try first. */
  readonly likelyPort?: number | undefined
}

/** A running server's port, or that another server was quicker to take the data directory. */
export type Launch =
  { readonly kind: 'running'; readonly port: number } | { readonly kind: 'directory-taken' }

/**
 * Starts a server and waits until it takes connections, on another port if the first is in use.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED`
 */
export async function launch(session: ServerSession, options: LaunchOptions): Promise<Launch> {
  const { fixedPort, likelyPort } = options
  for (let attempt = 1; ; attempt += 1) {
    const port = fixedPort ?? (attempt === 1 ? likelyPort : undefined) ?? (await findFreePort())
    const server = session.keeper.run(serverCommand(session, options, port), session.onLog)
    const ended = await untilReady(server, options.data)
    if (ended === undefined) return { kind: 'running', port }
    if (saysDirectoryTaken(server.log)) return { kind: 'directory-taken' }
    if (!saysPortTaken(server.log)) throw startFailed(ended, server.log)
    if (fixedPort !== undefined) throw portTaken(fixedPort, server.log)
    if (attempt === PORT_TRIES) throw startFailed('no free port was found', server.log)
  }
}

function serverCommand(
  session: ServerSession,
  options: LaunchOptions,
  port: number,
): ReturnType<typeof commandOf> {
  const { data, settings } = options
  const fixed = { listen_addresses: LOOPBACK, unix_socket_directories: '', port: String(port) }
  const flags = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const command = session.binaries.postgres
  return commandOf(session, { command, args: ['-D', data, ...flags], cwd: data })
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Resolves with why the server ended, or with nothing once it is ready. */
async function untilReady(server: KeptProcess, data: string): Promise<string | undefined> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    // The log tells it too, but can be redirected, translated or turned down by settings.
    const file = await readPostmasterFile(data)
    if (file?.ready === true && file.pid === server.pid) return undefined
    if (Date.now() > deadline) throw startFailed('it did not get ready in a minute', server.log)
    const ended = await Promise.race([server.ended, sleep(READY_INTERVAL_MS, undefined)])
    if (ended !== undefined) return ended
  }
}

function saysPortTaken(log: string): boolean {
  return /could not bind .* address/.test(log)
}

function saysDirectoryTaken(log: string): boolean {
  return /lock file .* already exists|pre-existing shared memory block/.test(log)
}

function portTaken(port: number, log: string): TenantryError {
  return new TenantryError(
    'EMBEDDED_POSTGRES_FAILED',
    `Port ${port} is in use. Leave out the option "port" to get a free one.`,
    { log, option: 'port' },
  )
}
