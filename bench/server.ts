import { cpus } from 'node:os'
import { Pool, type PoolClient } from 'pg'
import { builtPackage } from './built-package.js'

/** A server to measure on, and what it is. */
export interface BenchServer extends AsyncDisposable {
  readonly url: string
  /** One line for the head of a report: versions and cores. */
  readonly description: string
}

/** The server that `TENANTRY_BENCH_URL` names, in a database of its own, or an embedded one. */
export async function openServer(): Promise<BenchServer> {
  const url = process.env['TENANTRY_BENCH_URL']
  if (url === undefined) {
    const { startEmbeddedPostgres } = await builtPackage()
    const server = await startEmbeddedPostgres()
    return {
      url: server.url,
      description: describe(server.version),
      [Symbol.asyncDispose]: () => server.stop(),
    }
  }
  const admin = openPool(url, 1)
  const { rows } = await admin.query<{ server_version: string }>('show server_version')
  const name = `tenantry_bench_${process.pid}`
  await admin.query(`create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    description: describe(rows[0]?.server_version ?? 'unknown'),
    [Symbol.asyncDispose]: async () => {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

function describe(postgres: string): string {
  const cores = cpus()
  return (
    `PostgreSQL ${postgres.split(' ')[0]}, Node ${process.versions.node}, ` +
    `${cores.length} cores of ${cores[0]?.model.trim() ?? 'an unknown CPU'}, ${process.platform}`
  )
}

/** A pool that does not mind when the server ends before its clients have. */
export function openPool(connectionString: string, max: number): Pool {
  const pool = new Pool({ connectionString, max })
  pool.on('error', () => {})
  return pool
}

/** Process ids of the backends of a pool's clients, as they come and go. */
export function backendsOf(pool: Pool): () => readonly number[] {
  const pids = new Map<PoolClient, number>()
  pool.on('connect', (client) => {
    const pid: unknown = Reflect.get(client, 'processID')
    if (typeof pid === 'number') pids.set(client, pid)
  })
  pool.on('remove', (client) => pids.delete(client))
  return () => [...pids.values()]
}
