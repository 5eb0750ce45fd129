import assert from 'node:assert/strict'
import { byHeader } from '../../adapters/request/by-word.js'
import type { AdapterBench, AdapterCheck } from './adapter-check.js'
import { type Answer, begin } from './ask.js'
import { present } from '../../support/present.js'

const REQUESTS = 100

/** What is expected under load, and where clients go away. */
export const loadChecks: Readonly<Record<string, AdapterCheck>> = {
  'serves 100 requests of 20 tenants at once, some of which fail, without a foreign row': async (
    bench,
  ) => {
    const get = ({ url }: { readonly url: string }): Promise<unknown> => turn(bench, url)
    const options = { tenant: byHeader('x-tenant') }
    await bench.serve(options, { get }, async ({ ask }) => {
      const { slugs } = bench.fleet
      const answers = await Promise.all(
        Array.from({ length: REQUESTS }, async (_, at) => {
          const slug = present(slugs[at % slugs.length])
          const headers = { 'x-tenant': slug }
          return { at, slug, answer: await ask(`/get/${at}`, { headers }) }
        }),
      )
      for (const { at, slug, answer } of answers) expectTurn(answer, at, slug)
    })
    await bench.untilReturned()
  },

  'has all clients back when a client goes away in the middle of a query': async (bench) => {
    const begun = new Signal()
    const ended = new Signal()
    const get = async (): Promise<unknown> => {
      const work = bench.router.withTenant(async (db) => {
        await db.query('select 1')
        begun.give()
        await db.query('select pg_sleep(0.1)')
      })
      return work.finally(() => ended.give())
    }
    await bench.serve({}, { get }, async ({ url }) => {
      await leaveAfter(begun, `${url}/get/a`, bench.fleet.host)
      await ended.given
      await bench.untilReturned()
    })
  },

  'has all clients back when a client goes away in the middle of a stream': async (bench) => {
    const begun = new Signal()
    const ended = new Signal()
    async function* download(): AsyncGenerator<string> {
      const client = await bench.router.pool.connect()
      try {
        for (;;) {
          await client.query('select 1')
          begun.give()
          yield 'x'.repeat(100_000)
        }
      } finally {
        client.release()
        ended.give()
      }
    }
    await bench.serve({}, { download }, async ({ url }) => {
      await leaveAfter(begun, `${url}/download`, bench.fleet.host)
      await ended.given
      await bench.untilReturned()
    })
  },
}

/** Some turns query through the pool, some in a scope, and every fifth fails in a transaction. */
async function turn({ router }: AdapterBench, url: string): Promise<unknown> {
  const at = Number(url.slice('/get/'.length))
  const text = 'select word from marks'
  if (at % 5 === 0) {
    await router.withTenant(
      async (db) => {
        await db.query(`insert into marks values ('foreign')`)
        throw new Error(router.current().slug)
      },
      { transaction: true },
    )
  }
  if (at % 5 === 1) await router.pool.query('select nothing from nowhere').catch(() => {})
  const [one, two] = await Promise.all([
    router.pool.query(text),
    router.withTenant(async (db) => db.query(text)),
  ])
  return { at, rows: [...one.rows, ...two.rows] as unknown[] }
}

function expectTurn({ status, body }: Answer, at: number, slug: string): void {
  const told: unknown = JSON.parse(body)
  if (at % 5 === 0) return assert.deepEqual([status, told], [500, { error: slug }])
  assert.deepEqual([status, told], [200, { at, rows: [{ word: slug }, { word: slug }] }])
}

/** Something that happens once, and is waited for. */
class Signal {
  readonly given: Promise<void>
  give: () => void = () => {}

  constructor() {
    this.given = new Promise((resolve) => {
      this.give = resolve
    })
  }
}

async function leaveAfter(begun: Signal, url: string, host: string): Promise<void> {
  const request = begin(url, { host })
  request.on('error', () => {})
  await begun.given
  // It fails with its connection, so its end cannot be waited for with `once` of node:events.
  const closed = new Promise((resolve) => request.once('close', resolve))
  request.destroy()
  await closed
}
