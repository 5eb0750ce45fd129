import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { startEmbeddedPostgres } from 'tenantry/testing'

const NAME = 'tenantry_demo'
const DATA = fileURLToPath(new URL('../../../.tenantry/postgres', import.meta.url))

/** The database that the demo works in. */
export interface DemoDatabase {
  readonly url: string
  /** Says which server it is on, without a password. */
  readonly origin: string
  readonly version: string
  stop(): Promise<void>
}

/** Makes the demo's own database anew, on the server of `DATABASE_URL` or on an embedded one. */
export async function openDatabase(): Promise<DemoDatabase> {
  const given = process.env['DATABASE_URL']
  const server = given ? undefined : await startEmbeddedPostgres({ dataDirectory: DATA })
  const stop = async (): Promise<void> => server?.stop()
  const url = new URL(given || (server?.url ?? ''))
  try {
    const version = await recreate(url)
    const origin = given ? 'the server of DATABASE_URL' : 'an embedded server below .tenantry/'
    url.pathname = `/${NAME}`
    return { url: url.href, origin: `${origin}, ${withoutPassword(url)}`, version, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function recreate(url: URL): Promise<string> {
  const admin = new URL(url)
  // No database can be dropped by those who are connected to it.
  if (admin.pathname === `/${NAME}`) admin.pathname = '/postgres'
  const client = new Client({ connectionString: admin.href })
  await client.connect()
  try {
    await client.query(`drop database if exists ${NAME} with (force)`)
    await client.query(`create database ${NAME}`)
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return rows[0]?.server_version ?? 'unknown'
  } finally {
    await client.end()
  }
}

function withoutPassword(url: URL): string {
  const shown = new URL(url)
  shown.password = ''
  return shown.href
}
