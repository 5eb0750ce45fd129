import { builtPackage } from '../built-package.js'
import { makeFleet, rowOf, slugOf } from '../fleet.js'
import { type Candidate, type Cost, measure, microseconds, table } from '../measure.js'
import { backendsOf, openPool, openServer } from '../server.js'

/**
 * Whether a scoped query costs more in a larger fleet: `npx tsx bench/scope/fleet-size.ts`.
 *
 * A service works for a part of its tenants at a time, so ten of them have their turn, spread over
 * the fleet. That every tenant has its turn is the worst case: each is new to most clients.
 */
const SIZES = [10, 1_000, 10_000]
const TABLES = 2
const BUSY = 10
const ROUNDS = 9

async function run(): Promise<void> {
  await using server = await openServer()
  const admin = openPool(server.url, 2)
  console.log(`${server.description}; tenants of ${TABLES} tables, medians of ${ROUNDS} rounds\n`)
  const rows: string[][] = []
  for (const tenants of SIZES) {
    await makeFleet(admin, { tenants, tables: TABLES })
    const costs = await inFleet(server.url, tenants)
    rows.push([String(tenants), ...costs.map(({ latency }) => microseconds(latency))])
  }
  await admin.end()
  const head = ['tenants', 'ten, unscoped', 'ten, scoped', 'all, unscoped', 'all, scoped']
  console.log(table(head, rows))
}

async function inFleet(url: string, tenants: number): Promise<readonly Cost[]> {
  const { SchemaRouter } = await builtPackage()
  const pool = openPool(url, 4)
  const backends = backendsOf(pool)
  const router = new SchemaRouter({ pool })
  const busy = (turn: number): string => slugOf(Math.floor(((turn % BUSY) * tenants) / BUSY))
  const unscoped = (slug: string, turn: number): Promise<unknown> =>
    pool.query(`select * from tenant_${slug}.loans_1 where id = $1`, [rowOf(turn)])
  const scoped = (slug: string, turn: number): Promise<unknown> =>
    router.poolFor(slug).query('select * from loans_1 where id = $1', [rowOf(turn)])
  const candidates: readonly Candidate[] = [
    { name: 'ten, unscoped', run: (turn) => unscoped(busy(turn), turn) },
    { name: 'ten, scoped', run: (turn) => scoped(busy(turn), turn) },
    { name: 'all, unscoped', run: (turn) => unscoped(slugOf(turn % tenants), turn) },
    { name: 'all, scoped', run: (turn) => scoped(slugOf(turn % tenants), turn) },
  ]
  try {
    return await measure(candidates, {
      rounds: ROUNDS,
      operations: 1_000,
      concurrency: 1,
      backends,
    })
  } finally {
    await pool.end()
  }
}

await run()
