import type { PoolConfig } from 'pg'
import type { LentDatabase } from './router.js'
import { usageError } from './usage-error.js'

/**
 * The URL of a command's database, also where the configuration has a pool; passwords are in it.
 *
 * @throws `OPTIONS_INVALID` for a pool that makes its password itself
 */
export function urlOf({ config, url }: LentDatabase): string {
  const options: PoolConfig = config.pool?.options ?? {}
  return url ?? options.connectionString ?? joined(options)
}

function joined({ user, password, host, port, database }: PoolConfig): string {
  if (typeof password === 'function') {
    throw usageError(
      'databaseUrl',
      'The pool of the configuration makes its password itself. Give the URL with --database-url.',
    )
  }
  const login = [part(user, 'PGUSER'), part(password, 'PGPASSWORD')].join(':')
  const server = [part(host, 'PGHOST') || 'localhost', part(port, 'PGPORT') || '5432'].join(':')
  return `postgresql://${login === ':' ? '' : `${login}@`}${server}/${part(database, 'PGDATABASE')}`
}

/** What is not said is read from where pg reads it. */
function part(given: string | number | undefined, variable: string): string {
  return encodeURIComponent(given ?? process.env[variable] ?? '')
}
