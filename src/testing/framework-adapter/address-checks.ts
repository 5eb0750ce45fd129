import assert from 'node:assert/strict'
import type { AdapterCheck } from './adapter-check.js'

/** What is expected of redirects and of prefixes in paths. */
export const addressChecks: Readonly<Record<string, AdapterCheck>> = {
  'redirects to the primary domain, with path, query and port, if it is told to': async (bench) => {
    const { host, oldHost, prefixedHost, first } = bench.fleet
    await bench.serve({ redirect: true }, {}, async ({ ask }) => {
      const moved = await ask('/get/a?b=c&d', { host: oldHost })
      assert.deepEqual([moved.status, moved.headers.location], [307, `//${host}/get/a?b=c&d`])
      const ported = await ask('/beta/get/a', { host: `${prefixedHost}:81` })
      assert.equal(ported.headers.location, `//${host}:81/get/a`)
      const outward = await ask('//evil.test/get', { host: oldHost })
      assert.equal(outward.headers.location, `//${host}//evil.test/get`)
      bench.expectServed(await ask('/get/a', { host }), first, '/get/a')
    })
    await bench.serve({}, {}, async ({ ask }) => {
      bench.expectServed(await ask('/get/a', { host: oldHost }), first, '/get/a')
    })
  },

  'serves a POST where it is, so that nothing is sent twice': (bench) =>
    bench.serve({ redirect: true }, {}, async ({ ask }) => {
      const { oldHost, first } = bench.fleet
      const headers = { 'content-type': 'application/json' }
      const question = { method: 'POST', host: oldHost, headers, body: ['{"a":', '1}'] }
      const { status, body } = await ask('/json', question)
      assert.equal(status, 200, body)
      const told: unknown = JSON.parse(body)
      assert.deepEqual(told, { url: '', ambient: first, told: null, row: first, body: { a: 1 } })
    }),

  'takes the prefix of a domain off the path that the app sees': (bench) =>
    bench.serve({}, {}, async ({ ask }) => {
      const { prefixedHost: host, first } = bench.fleet
      bench.expectServed(await ask('/beta/get/a?b=/beta', { host }), first, '/get/a?b=/beta')
      bench.expectServed(await ask('/beta/get/beta', { host }), first, '/get/beta')
      assert.equal((await ask('/betamax/get/a', { host })).status, 404)
    }),

  'leaves the prefix if it is told to': (bench) =>
    bench.serve({ stripPrefix: false }, {}, async ({ ask }) => {
      const { prefixedHost: host, first } = bench.fleet
      bench.expectServed(await ask('/get/beta/a', { host }), first, '/get/beta/a')
    }),
}
