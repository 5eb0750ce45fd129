import { randomBytes } from 'node:crypto'
import { access, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TenantryError } from '../../errors.js'
import type { Keeper } from './keeper.js'
import { openDirectory, type PersistentDirectory } from './persistent-directory.js'
import { findPostmaster } from './postmaster-file.js'
import { askVersion, type ServerAddress } from './server-address.js'
import { ensureServerFile, readServerFile, replaceServerFile } from './server-file.js'
import { launch, type ServerSettings } from './server-launch.js'
import { initialise, startFailed, withSession, type ServerSession } from './server-session.js'
import { isError } from '../../support/is-error.js'

const PATIENCE_MS = 60_000
const INTERVAL_MS = 50
const SETTINGS: ServerSettings = { max_connections: '200' }

/** What {@link startPersistent} needs to know. */
export interface PersistentOptions {
  readonly dataDirectory: string
  readonly port: number | undefined
  readonly settings: ServerSettings
  readonly onLog: ((line: string) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/** A server that is running; without a keeper it belongs to somebody else. */
export interface RunningServer {
  readonly address: ServerAddress
  readonly version: string
  readonly directory: string
  readonly keeper?: Keeper
}

/**
 * Starts a server on persistent data, or finds the one that already runs there.
 *
 * Of several that start at the same moment one wins: PostgreSQL's own `postmaster.pid` decides.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED`, `EMBEDDED_POSTGRES_MISSING`
 */
export async function startPersistent(options: PersistentOptions): Promise<RunningServer> {
  const directory = await openDirectory(options.dataDirectory)
  const { onLog, signal } = options
  const deadline = Date.now() + PATIENCE_MS
  while (Date.now() < deadline) {
    const found = await findRunning(directory)
    if (found.kind === 'running') return found.server
    if (found.kind === 'none') {
      const session = { account: directory.account, onLog, signal }
      const started = await withSession(session, (lent) => start(lent, directory, options))
      if (started !== undefined) return started
    }
    await sleep(INTERVAL_MS, undefined, signal === undefined ? {} : { signal })
  }
  throw startFailed(`another server keeps ${directory.data} without answering`, '')
}

type Found =
  | { readonly kind: 'running'; readonly server: RunningServer }
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'none' }

async function findRunning({ path, data }: PersistentDirectory): Promise<Found> {
  const postmaster = await findPostmaster(data)
  if (postmaster === undefined) return { kind: 'none' }
  const file = postmaster.ready ? await readServerFile(path) : undefined
  if (file === undefined) return { kind: 'not-ready' }
  const address = { port: postmaster.port, password: file.password }
  try {
    const version = await askVersion(address)
    return { kind: 'running', server: { address, version, directory: path } }
  } catch (error) {
    if (isPasswordRefused(error)) throw passwordRefused(path, error)
    // It is about to stop, or its start was seen a moment too early.
    return { kind: 'not-ready' }
  }
}

async function start(
  session: ServerSession,
  directory: PersistentDirectory,
  options: PersistentOptions,
): Promise<RunningServer | undefined> {
  const { path, data } = directory
  const file = await ensureServerFile(path)
  if (!(await isInitialised(data))) await initialiseOnce(session, data, file.password)
  const launched = await launch(session, {
    data,
    settings: { ...SETTINGS, ...options.settings },
    fixedPort: options.port,
    likelyPort: file.port,
  })
  if (launched.kind === 'directory-taken') {
    await session.keeper.close()
    return undefined
  }
  const address = { port: launched.port, password: file.password }
  const version = await askVersion(address).catch((error: unknown) => {
    throw isPasswordRefused(error) ? passwordRefused(path, error) : error
  })
  if (file.port !== address.port) await replaceServerFile(path, address)
  return { address, version, directory: path, keeper: session.keeper }
}

// Data appear under their name only when they are complete, and only once.
async function initialiseOnce(
  session: ServerSession,
  data: string,
  password: string,
): Promise<void> {
  const draft = `${data}.${randomBytes(4).toString('hex')}`
  session.keeper.own(draft)
  await initialise(session, { data: draft, password, flags: [] })
  try {
    await rename(draft, data)
  } catch (error) {
    if (!(await isInitialised(data))) throw error
  }
}

async function isInitialised(data: string): Promise<boolean> {
  return access(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
}

function isPasswordRefused(error: unknown): boolean {
  return isError(error) && 'code' in error && error.code === '28P01'
}

function passwordRefused(path: string, cause: unknown): TenantryError {
  return new TenantryError(
    'EMBEDDED_POSTGRES_FAILED',
    `The data in ${path} have another password than its server.json. Put the password that was set for "postgres" there, or remove the directory to start with empty data.`,
    { cause },
  )
}
