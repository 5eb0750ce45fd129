import assert from 'node:assert/strict'
import { byHeader } from '../../adapters/request/by-word.js'
import { type AdapterCheck, codeOf, expectProblem } from './adapter-check.js'

const HEADER = byHeader('x-tenant')

/** What is expected where a request is not served, or served without a tenant. */
export const refusalChecks: Readonly<Record<string, AdapterCheck>> = {
  'answers a host that nobody has, and a deleted tenant’s, with 404': (bench) =>
    bench.serve({}, { get: neverReached }, async ({ ask }) => {
      for (const host of ['nobody.test', bench.fleet.deletedHost]) {
        expectProblem(await ask('/get/a', { host }), 404, 'TENANT_NOT_FOUND')
      }
    }),

  'answers a suspended tenant’s request with 403': (bench) =>
    bench.serve({}, { get: neverReached }, async ({ ask }) => {
      const answer = await ask('/get/a', { host: bench.fleet.suspendedHost })
      expectProblem(answer, 403, 'TENANT_SUSPENDED')
    }),

  'answers a request that names no tenant, or what is no name, with 400': (bench) =>
    bench.serve({ tenant: HEADER }, { get: neverReached }, async ({ ask }) => {
      expectProblem(await ask('/get/a'), 400, 'TENANT_UNRESOLVED')
      for (const word of ['../acme', 'Acme', "a'b", 'public"', 'x'.repeat(200)]) {
        const answer = await ask('/get/a', { headers: { 'x-tenant': word } })
        expectProblem(answer, 400, 'TENANT_UNRESOLVED')
      }
    }),

  'refuses a tenant that does not exist, whatever is done without one': async (bench) => {
    for (const missing of ['reject', 'shared', 'pass'] as const) {
      await bench.serve({ tenant: HEADER, missing }, { get: neverReached }, async ({ ask }) => {
        const answer = await ask('/get/a', { headers: { 'x-tenant': 'nobody' } })
        expectProblem(answer, 404, 'TENANT_NOT_FOUND')
      })
    }
  },

  'passes a request without a tenant on, and lets it query nothing': (bench) =>
    bench.serve({ missing: 'pass' }, {}, async ({ ask }) => {
      const { status, body } = await ask('/get/a', { host: 'nobody.test' })
      const row = 'TENANT_NO_SCOPE'
      assert.deepEqual(JSON.parse(body), { url: '/get/a', ambient: null, told: null, row })
      assert.equal(status, 200)
    }),

  'runs a request without a tenant in the shared schema': async (bench) => {
    const { router } = bench
    const [shared] = await router.whoWill({ kind: 'shared' })
    const get = async (): Promise<unknown> => {
      const { rows } = await router.pool.query('select current_schema()::text as schema')
      return [router.tryCurrent() ?? null, rows]
    }
    await bench.serve({ missing: 'shared' }, { get }, async ({ ask }) => {
      const { body } = await ask('/get/a', { host: 'nobody.test' })
      assert.deepEqual(JSON.parse(body), [null, [{ schema: shared }]])
    })
  },

  'leaves refusals to the framework’s error handler if it is told to': async (bench) => {
    const handlers = { get: neverReached, failed: codeOf }
    await bench.serve({ refusals: 'throw' }, handlers, async ({ ask }) => {
      const { status, body } = await ask('/get/a', { host: bench.fleet.suspendedHost })
      assert.deepEqual([status, JSON.parse(body)], [500, 'TENANT_SUSPENDED'])
    })
  },

  'leaves what a resolver throws to the framework’s error handler': async (bench) => {
    await bench.serve({ tenant: failing }, { get: neverReached }, async ({ ask }) => {
      const { status, body } = await ask('/get/a')
      assert.deepEqual([status, JSON.parse(body)], [500, { error: 'The resolver failed.' }])
    })
  },
}

function neverReached(): never {
  throw new Error('The app was reached by a request that is to be refused.')
}

function failing(): never {
  throw new Error('The resolver failed.')
}
