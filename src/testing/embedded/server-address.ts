import pg from 'pg'
import { present } from '../../support/present.js'

const CONNECT_TIMEOUT_MS = 10_000

/** Where a server of ours answers. */
export interface ServerAddress {
  readonly port: number
  readonly password: string
}

/** The administrator's URL of the server's database `postgres`. */
export function serverUrl({ port, password }: ServerAddress): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
}

/** Connects once and returns the server's version, for example `18.4`. */
export async function askVersion(address: ServerAddress): Promise<string> {
  // oxlint-disable-next-line import/no-named-as-default-member -- pg before 8.15 has no others.
  const client = new pg.Client({
    connectionString: serverUrl(address),
    // The environment may ask for TLS, which is meant for other servers.
    ssl: false,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  // A server that stops at this moment must reject the query, not end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return present(rows[0]).server_version
  } finally {
    await client.end()
  }
}
