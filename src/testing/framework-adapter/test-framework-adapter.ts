import type { SchemaRouter } from '../../router/schema-router.js'
import { AdapterBench, type AdapterCheck } from './adapter-check.js'
import type { StartService } from './adapter-service.js'
import { addressChecks } from './address-checks.js'
import { ambienceChecks } from './ambience-checks.js'
import { findingChecks } from './finding-checks.js'
import { type AdapterFleet, makeFleet } from './fleet.js'
import { loadChecks } from './load-checks.js'
import { refusalChecks } from './refusal-checks.js'

/** How {@link testFrameworkAdapter} tests. */
export interface TestFrameworkAdapterOptions {
  /** `it` or `test` of your test runner. */
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  /** Called once, in the first test: a router without migrations, whose pool has 5 clients or so. */
  readonly router: () => SchemaRouter | Promise<SchemaRouter>
  /** Called in each test: starts a service with your framework and the adapter. */
  readonly start: StartService
}

/**
 * Adds a test for each thing that is expected of an adapter: how it finds tenants, what it answers,
 * and that the tenant stays ambient in bodies, streams, errors and callbacks.
 *
 * It makes 22 tenants with names of its own, and leaves them there: give it a database for tests.
 * They fail with an `AssertionError` of `node:assert`, or with what the service throws.
 *
 * @example
 * import { once } from 'node:events'
 * import { createServer } from 'node:http'
 * import { test } from 'node:test'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, tenantOf } from 'tenantry/http'
 * import { testFrameworkAdapter } from 'tenantry/testing'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/test' })
 * testFrameworkAdapter({
 *   test,
 *   router: () => router,
 *   // Only the first of the five routes: see docs/frameworks.md for a whole one.
 *   async start({ router, options, get }) {
 *     const listener = serveTenants(router, options, async (request, response) => {
 *       const told = await get({ url: request.url ?? '/', tenant: tenantOf(request) })
 *       response.end(JSON.stringify(told))
 *     })
 *     const server = createServer(listener).listen(8080, '127.0.0.1')
 *     await once(server, 'listening')
 *     return { url: 'http://127.0.0.1:8080', close: async () => void server.close() }
 *   },
 * })
 */
export function testFrameworkAdapter({ test, router, start }: TestFrameworkAdapterOptions): void {
  const checks: Readonly<Record<string, AdapterCheck>> = {
    ...findingChecks,
    ...refusalChecks,
    ...addressChecks,
    ...ambienceChecks,
    ...loadChecks,
  }
  let made: Promise<{ router: SchemaRouter; fleet: AdapterFleet }> | undefined
  for (const [name, check] of Object.entries(checks)) {
    test(name, async () => {
      made ??= prepare(router)
      await check(new AdapterBench({ ...(await made), start }))
    })
  }
}

async function prepare(
  open: TestFrameworkAdapterOptions['router'],
): Promise<{ router: SchemaRouter; fleet: AdapterFleet }> {
  const router = await open()
  return { router, fleet: await makeFleet(router) }
}
