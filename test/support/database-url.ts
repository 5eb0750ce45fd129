import { Client, escapeIdentifier } from 'pg'

/** The same server and user as in `url`, with another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/** Lends a connected client, which is closed when `fn` settles. */
export async function withClient<T>(url: string, fn: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

/** Drops a database with whoever is still connected to it. */
export async function dropDatabase(client: Client, database: string): Promise<void> {
  await client.query(`drop database if exists ${escapeIdentifier(database)} with (force)`)
}
