import assert from 'node:assert/strict'
import { byPath, bySubdomain } from '../../adapters/request/by-address.js'
import { byClaim, byHeader, firstOf } from '../../adapters/request/by-word.js'
import type { AskedRequest } from '../../adapters/request/found.js'
import { type AdapterCheck, expectProblem } from './adapter-check.js'
import { present } from '../../support/present.js'

const HEADER = byHeader('x-tenant')

/** What is expected of the ways in which a tenant is found. */
export const findingChecks: Readonly<Record<string, AdapterCheck>> = {
  'finds the tenant by its host, port or not': (bench) =>
    bench.serve({}, {}, async ({ ask }) => {
      const { first, host } = bench.fleet
      bench.expectServed(await ask('/get/a?b=c', { host }), first, '/get/a?b=c')
      bench.expectServed(await ask('/get/a', { host: `${host}:81` }), first, '/get/a')
    }),

  'finds the tenant by its sub-domain': (bench) => {
    const tenant = bySubdomain({ base: ['other.test', 'base.test'] })
    return bench.serve({ tenant }, {}, async ({ ask }) => {
      for (const slug of bench.fleet.slugs.slice(0, 2)) {
        bench.expectServed(await ask('/get/a', { host: `${slug}.base.test` }), slug, '/get/a')
      }
      const nobody = await ask('/get/a', { host: 'nobody.base.test' })
      expectProblem(nobody, 404, 'TENANT_NOT_FOUND')
      expectProblem(await ask('/get/a', { host: 'base.test' }), 400, 'TENANT_UNRESOLVED')
    })
  },

  'finds the tenant by the beginning of the path': (bench) => {
    const tenant = byPath({ below: '/t' })
    return bench.serve({ tenant }, {}, async ({ ask }) => {
      for (const slug of bench.fleet.slugs.slice(0, 2)) {
        bench.expectServed(await ask(`/t/${slug}/get/a?b=c`), slug, '/get/a?b=c')
      }
      expectProblem(await ask('/t/Nobody/get/a'), 404, 'TENANT_NOT_FOUND')
      expectProblem(await ask('/get/a'), 400, 'TENANT_UNRESOLVED')
    })
  },

  'finds the tenant by a header, and only if that was chosen': async (bench) => {
    const { first, slugs, host } = bench.fleet
    const headers = { 'x-tenant': present(slugs[1]) }
    await bench.serve({ tenant: HEADER }, {}, async ({ ask }) => {
      bench.expectServed(await ask('/get/a', { headers }), present(slugs[1]), '/get/a')
      const twice = { 'x-tenant': `${slugs[1]}, ${slugs[2]}` }
      expectProblem(await ask('/get/a', { headers: twice }), 400, 'TENANT_UNRESOLVED')
    })
    await bench.serve({}, {}, async ({ ask }) => {
      bench.expectServed(await ask('/get/a', { host, headers }), first, '/get/a')
    })
  },

  'finds the tenant by what a function reads from the framework’s request': async (bench) => {
    const seen: unknown[] = []
    const tenant = byClaim((request: unknown) => {
      seen.push(request)
      return bench.fleet.slugs[seen.length]
    })
    await bench.serve({ tenant }, {}, async ({ ask }) => {
      for (const at of [1, 2]) {
        bench.expectServed(await ask('/get/a'), present(bench.fleet.slugs[at]), '/get/a')
      }
    })
    assert.deepEqual(
      seen.map((request) => typeof request),
      ['object', 'object'],
    )
  },

  'finds the tenant by a function of the service’s own': (bench) => {
    return bench.serve({ tenant: byQuery }, {}, async ({ ask }) => {
      const slug = present(bench.fleet.slugs[3])
      bench.expectServed(await ask(`/get/a?for=${slug}`), slug, `/get/a?for=${slug}`)
      expectProblem(await ask('/get/a?for=nobody'), 404, 'TENANT_NOT_FOUND')
      expectProblem(await ask("/get/a?for=a'b"), 400, 'TENANT_UNRESOLVED')
      expectProblem(await ask('/get/a'), 400, 'TENANT_UNRESOLVED')
    })
  },

  'asks several ways in their order, and none after one that names nobody’s tenant': (bench) => {
    const tenant = firstOf(HEADER, bySubdomain({ base: 'base.test' }))
    return bench.serve({ tenant }, {}, async ({ ask }) => {
      const [one = '', two = ''] = bench.fleet.slugs
      const host = `${two}.base.test`
      bench.expectServed(await ask('/get/a', { host }), two, '/get/a')
      bench.expectServed(await ask('/get/a', { host, headers: { 'x-tenant': one } }), one, '/get/a')
      const nobody = await ask('/get/a', { host, headers: { 'x-tenant': 'nobody' } })
      expectProblem(nobody, 404, 'TENANT_NOT_FOUND')
    })
  },
}

function byQuery({ url, method }: AskedRequest): string | null {
  if (method !== 'GET') return null
  return new URL(url, 'http://localhost').searchParams.get('for')
}
