import { builtPackage } from '../built-package.js'
import { makeFleet } from '../fleet.js'
import {
  type Candidate,
  type Cost,
  measure,
  median,
  microseconds,
  table,
  times,
} from '../measure.js'
import { type BenchServer, backendsOf, openPool, openServer } from '../server.js'
import { type Parts, queryCandidates, transactionCandidates } from './candidates.js'
import { delayServer } from './delayed-server.js'

/**
 * What a scope costs, against the same query without one: `npx tsx bench/scope/run.ts`.
 *
 * `TENANTRY_BENCH_ROUNDS` (default 60) and `TENANTRY_BENCH_URL` change it.
 */
const TENANTS = 50
const ROUNDS = Number(process.env['TENANTRY_BENCH_ROUNDS'] ?? 60)
const CONCURRENCIES = [1, 8]
const DELAY_MS = 1

async function run(): Promise<void> {
  await using server = await openServer()
  const pool = openPool(server.url, 4)
  await makeFleet(pool, { tenants: TENANTS, tables: 3 })
  await pool.end()
  console.log(`${server.description}; ${TENANTS} tenants in turn, medians of ${ROUNDS} rounds\n`)
  for (const concurrency of CONCURRENCIES) await onLoopback(server, concurrency)
  await withDelay(server)
}

async function onLoopback({ url }: BenchServer, concurrency: number): Promise<void> {
  for (const [what, candidates] of groups) {
    const costs = await inPool(url, candidates, { concurrency, operations: 250 })
    console.log(`### ${what}, loopback, concurrency ${concurrency}\n`)
    console.log(`${tableOf(costs)}\n`)
  }
}

async function withDelay(server: BenchServer): Promise<void> {
  using delayed = await delayServer(server.url, DELAY_MS)
  const delay = (await roundTrip(delayed.url)) - (await roundTrip(server.url))
  for (const [what, candidates] of groups) {
    const costs = await inPool(delayed.url, candidates, { concurrency: 1, operations: 20 })
    console.log(`### ${what}, ${delay.toFixed(2)} ms of network delay, concurrency 1\n`)
    const rows = costs.map(({ name, latency, ratio }) => [
      name,
      microseconds(latency),
      times(ratio.latency),
    ])
    console.log(`${table(['', 'latency', ''], rows)}\n`)
  }
}

const groups: readonly (readonly [string, (parts: Parts) => readonly Candidate[]])[] = [
  ['One query', queryCandidates],
  ['Three queries in a transaction', transactionCandidates],
]

async function inPool(
  url: string,
  candidates: (parts: Parts) => readonly Candidate[],
  options: { readonly concurrency: number; readonly operations: number },
): Promise<readonly Cost[]> {
  const { SchemaRouter } = await builtPackage()
  const pool = openPool(url, options.concurrency)
  const backends = backendsOf(pool)
  // The registry's answers are kept for some seconds; looking them up again is part of the cost.
  const router = new SchemaRouter({ pool })
  const prepared = new SchemaRouter({ pool, scope: { prepare: true } })
  try {
    const all = candidates({ pool, router, prepared, tenants: TENANTS })
    return await measure(all, { ...options, rounds: ROUNDS, backends })
  } finally {
    await pool.end()
  }
}

function tableOf(costs: readonly Cost[]): string {
  const head = ['', 'latency', '', 'client CPU', '', 'server CPU', '', 'CPU']
  const rows = costs.map(({ name, latency, client, server, ratio }) => [
    name,
    microseconds(latency),
    times(ratio.latency),
    microseconds(client),
    times(ratio.client),
    microseconds(server),
    times(ratio.server),
    times(ratio.cpu),
  ])
  return table(head, rows)
}

/** How long the server takes to answer to almost nothing, in milliseconds. */
async function roundTrip(url: string): Promise<number> {
  const pool = openPool(url, 1)
  const taken: number[] = []
  for (let turn = 0; turn < 200; turn += 1) {
    const began = process.hrtime.bigint()
    await pool.query('select 1')
    taken.push(Number(process.hrtime.bigint() - began) / 1e6)
  }
  await pool.end()
  return median(taken)
}

await run()
