import { builtPackage } from '../built-package.js'
import { openPool, openServer } from '../server.js'

/**
 * How many requests per second one core resolves from memory: `npx tsx bench/resolve/run.ts`. Says
 * also how many queries a flood of unknown hosts becomes.
 */
const TENANTS = 100
const CALLS = 2_000_000
const ROUNDS = 5
const FLOOD = 100_000

await using server = await openServer()
const pool = openPool(server.url, 10)
const { SchemaRouter } = await builtPackage()
const router = new SchemaRouter({ pool, cache: { ttl: 600_000 } })
const requests = Array.from({ length: TENANTS }, (_, at) => ({
  host: `t${at}.example.com`,
  path: '/loans/7',
}))
for (let at = 0; at < TENANTS; at += 1) {
  await router.tenants.create({ slug: `t${at}`, domains: [`t${at}.example.com`] })
}
const recall = async (): Promise<void> => {
  for (const request of requests) await router.resolve(request)
}
let queries = 0
pool.on('acquire', () => (queries += 1))
await recall()
// What was asked before the connection listens is soon forgotten: ask again when it does.
await new Promise((resolve) => setTimeout(resolve, 1_500))
await recall()

function perSecond(began: number): number {
  return CALLS / ((performance.now() - began) / 1_000)
}

const best = { peek: 0, resolve: 0 }
queries = 0
for (let round = 0; round < ROUNDS; round += 1) {
  let began = performance.now()
  for (let call = 0; call < CALLS; call += 1) router.peek(requests[call % TENANTS] ?? {})
  best.peek = Math.max(best.peek, perSecond(began))
  began = performance.now()
  for (let call = 0; call < CALLS; call += 1) await router.resolve(requests[call % TENANTS] ?? {})
  best.resolve = Math.max(best.resolve, perSecond(began))
}
const cached = queries
queries = 0
const unknown = Array.from({ length: FLOOD }, (_, at) => ({ host: `x${at}.example.org` }))
for (let at = 0; at < FLOOD; at += 1_000) {
  await Promise.all(unknown.slice(at, at + 1_000).map((request) => router.resolve(request)))
}
console.log(`${server.description}; ${TENANTS} tenants, the best of ${ROUNDS} rounds`)
console.log(`peek: ${best.peek.toFixed(0)} per second`)
console.log(`await resolve: ${best.resolve.toFixed(0)} per second; ${cached} queries in all rounds`)
console.log(`${FLOOD} unknown hosts: ${queries} queries`)
await router.close()
await pool.end()
