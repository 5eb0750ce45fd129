import { SchemaRouter, type TenantryConfig } from 'tenantry'
import type { EmbeddedPostgres } from 'tenantry/testing'
import { loadConfig } from './config.js'
import { startProjectServer } from './embedded-server.js'
import { maskPasswords } from './mask.js'
import type { Output } from './output.js'
import { usageError } from './usage-error.js'

/** What says which service and which database a command works on. */
export interface ConnectionFlags {
  readonly config?: string
  readonly databaseUrl?: string
}

/** How {@link withRouter} connects. */
export interface RouterSettings {
  readonly output: Output
  /** How many clients the command will use at the same time. @defaultValue `1` */
  readonly clients?: number
}

/** What a command works with beside the router. */
export interface LentDatabase {
  readonly config: TenantryConfig
  /** `undefined` where the configuration has its own pool. */
  readonly url: string | undefined
}

const DEFAULT_POOL_SIZE = 10

/**
 * Lends `fn` a router for the configured service, and closes all that was opened for it.
 *
 * The database is the one of `--database-url`, else of the configuration, else of `DATABASE_URL`,
 * else an embedded server's, which runs as long as the command.
 *
 * @throws `CONFIG_INVALID`, `OPTIONS_INVALID`, and what `fn` throws
 */
export async function withRouter<T>(
  flags: ConnectionFlags,
  { output, clients = 1 }: RouterSettings,
  fn: (router: SchemaRouter, database: LentDatabase) => Promise<T>,
): Promise<T> {
  const { config, folder } = await loadConfig(flags.config)
  const database = await findDatabase(config, folder, flags)
  try {
    if (database.server) {
      const address = maskPasswords(database.server.url)
      output.note(`No DATABASE_URL: using the embedded PostgreSQL at ${address}`)
    }
    return await useRouter(connected(config, database.url, clients), (router) =>
      fn(router, { config, url: database.url }),
    )
  } finally {
    await config.pool?.end()
    await database.server?.stop()
  }
}

interface Database {
  /** `undefined` where the configuration has its own pool. */
  readonly url: string | undefined
  /** The server that was started for this command. */
  readonly server?: EmbeddedPostgres
}

async function findDatabase(
  { pool, connectionString }: TenantryConfig,
  folder: string,
  { databaseUrl }: ConnectionFlags,
): Promise<Database> {
  if (databaseUrl !== undefined) return { url: checkUrl('--database-url', databaseUrl) }
  if (pool !== undefined) return { url: undefined }
  if (connectionString !== undefined) return { url: checkText(connectionString) }
  const environment = process.env['DATABASE_URL']
  if (environment) return { url: checkUrl('DATABASE_URL', environment) }
  const server = await startProjectServer(folder)
  return { url: server.url, server }
}

async function useRouter<T>(
  config: TenantryConfig,
  fn: (router: SchemaRouter) => Promise<T>,
): Promise<T> {
  const router = SchemaRouter.fromConfig(config)
  try {
    return await fn(router)
  } finally {
    await router.close()
  }
}

/** The configuration with the database filled in, and a pool that is large enough for the run. */
function connected(
  config: TenantryConfig,
  url: string | undefined,
  clients: number,
): TenantryConfig {
  if (url === undefined) return config
  const { pool: _unused, ...rest } = config
  const poolOptions = { max: Math.max(DEFAULT_POOL_SIZE, clients), ...config.poolOptions }
  return { ...rest, connectionString: url, poolOptions }
}

/** A configuration in JavaScript may hold anything. */
function checkText(connectionString: unknown): string {
  if (typeof connectionString === 'string') return connectionString
  throw usageError('connectionString', 'Option "connectionString" must be a text.')
}

/** The text is not repeated in the error: what is no URL may well hold a password. */
function checkUrl(option: string, url: string): string {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url
  throw usageError(
    option,
    `${option} is no URL of PostgreSQL. It begins with postgres:// or postgresql://, and special ` +
      'characters in its password are percent-encoded.',
  )
}
