import { readFileSync } from 'node:fs'
import { builtPackage } from '../built-package.js'
import { makeFleet, slugOf } from '../fleet.js'
import { table } from '../measure.js'
import { backendsOf, openPool, openServer } from '../server.js'

/**
 * How much memory the backends of a pool take while it goes through a large fleet:
 * `npx tsx bench/scope/memory.ts`. Needs Linux and a server on the same machine.
 */
const TENANTS = 2_000
const TABLES = 20
const CLIENTS = 10
/** Each tenant has its turn so often, on whichever client is free. */
const VISITS = 3
const LIMIT_MB = 150
const EVERY_TABLE = `select ${Array.from(
  { length: TABLES },
  (_, index) => `(select count(*) from loans_${index + 1} where id = 1)`,
).join(', ')}`

async function run(): Promise<void> {
  await using server = await openServer()
  const admin = openPool(server.url, 2)
  await makeFleet(admin, { tenants: TENANTS, tables: TABLES })
  await admin.end()
  console.log(`${server.description}; ${TENANTS} tenants of ${TABLES} tables, pool of ${CLIENTS}\n`)
  const bounded = await visitAll(server.url, {})
  const unbounded = await visitAll(server.url, { maxSchemasPerClient: 1_000_000 })
  const rows = [
    ['`maxSchemasPerClient` by default', ...show(bounded)],
    ['without a limit', ...show(unbounded)],
  ]
  console.log(table(['', 'largest backend', 'all backends', 'clients made'], rows))
  if (bounded.largest > LIMIT_MB) {
    console.error(`A backend took more than ${LIMIT_MB} MB.`)
    process.exitCode = 1
  }
}

interface Memory {
  /** Megabytes of the largest backend at any time. */
  readonly largest: number
  /** Megabytes of all backends together at any time. */
  readonly total: number
  readonly clients: number
}

function show({ largest, total, clients }: Memory): string[] {
  return [`${Math.round(largest)} MB`, `${Math.round(total)} MB`, String(clients)]
}

async function visitAll(url: string, scope: { maxSchemasPerClient?: number }): Promise<Memory> {
  const { SchemaRouter } = await builtPackage()
  const pool = openPool(url, CLIENTS)
  const backends = backendsOf(pool)
  const router = new SchemaRouter({ pool, scope })
  let clients = 0
  let largest = 0
  let total = 0
  pool.on('connect', () => (clients += 1))
  let turn = 0
  const visit = async (): Promise<void> => {
    while (turn < TENANTS * VISITS) {
      turn += 1
      await router.withTenant(slugOf(turn % TENANTS), (db) => db.query(EVERY_TABLE))
      if (turn % 20 !== 0) continue
      const sizes = backends().map(privateMegabytes)
      largest = Math.max(largest, ...sizes)
      total = Math.max(
        total,
        sizes.reduce((sum, size) => sum + size, 0),
      )
    }
  }
  try {
    await Promise.all(Array.from({ length: CLIENTS }, visit))
    return { largest, total, clients }
  } finally {
    await pool.end()
  }
}

/** Memory that is the backend's own; shared buffers do not count. */
function privateMegabytes(pid: number): number {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) / 1024
  } catch {
    // The backend has ended since its client was listed.
    return 0
  }
}

await run()
