import type { PoolClient } from 'pg'

/** The number of the server's version, such as 180004. */
export async function serverVersion(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ version: string }>(
    `select current_setting('server_version_num') as version`,
  )
  return Number(rows[0]?.version)
}

/** The major version of a server, from that number. */
export function majorOf(version: number): number {
  return Math.floor(version / 10_000)
}
