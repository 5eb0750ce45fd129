import { setTimeout as sleep } from 'node:timers/promises'
import { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Place, makeFleet } from './fleet.js'
import { randomOf } from './random.js'
import { codeOf } from './witness.js'

const SECONDS = 3
const READ = 'select home from things limit 1'

const database = useDatabase()
let first: Place
let second: Place

beforeAll(async () => {
  const [one, two] = await makeFleet(database.admin, 2, 0)
  if (one === undefined || two === undefined) throw new Error('Two tenants were asked for.')
  first = one
  second = two
})

function routerOf(max: number, prepare = false): SchemaRouter {
  const schemas = { tenants: { prefix: 'tenant_', searchPath: ['public'] } }
  return new SchemaRouter({ pool: database.pool({ max }), schemas, scope: { prepare } })
}

/** What each call has answered or failed with, and how often, until the time is over. */
async function tally(
  workers: number,
  until: number,
  call: (worker: number) => Promise<string>,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const work = async (worker: number): Promise<void> => {
    while (Date.now() < until) {
      const outcome = await call(worker).catch((error: unknown) => codeOf(error) || String(error))
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  return counts
}

async function remakeUntil(until: number): Promise<void> {
  while (Date.now() < until) {
    await database.admin.query(`drop schema ${first.schema} cascade`)
    await database.admin.query('select public.storm_make($1)', [first.schema])
  }
}

describe('a schema that is dropped and made again', () => {
  const ways = [
    ['single statements', false, { transaction: false }],
    ['prepared statements', true, { transaction: false }],
    ['transactions', false, { transaction: true }],
  ] as const

  it.each(ways)('never lets public answer for %s meanwhile', async (_, prepare, options) => {
    const router = routerOf(6, prepare)
    const until = Date.now() + SECONDS * 1000
    const read = async (): Promise<string> =>
      router.withTenant(
        first.slug,
        async (db) => {
          if (options.transaction) await db.query('select 1')
          const { rows } = await db.query<{ home: string }>(READ)
          return rows[0]?.home ?? 'nothing'
        },
        options,
      )
    const [counts] = await Promise.all([tally(6, until, read), remakeUntil(until)])
    // XX000 is "cache lookup failed" and the like, in the moment of the drop.
    const allowed = [first.schema, 'SCHEMA_MISSING', 'XX000', '42P01']
    expect([...counts.keys()].filter((outcome) => !allowed.includes(outcome))).toEqual([])
    expect(counts.get(first.schema)).toBeGreaterThan(0)
    expect(counts.get('SCHEMA_MISSING')).toBeGreaterThan(0)
  })
})

describe('a signal', () => {
  it('stops no statement but those of its own scope', async () => {
    const router = routerOf(2)
    const random = randomOf(1)
    const until = Date.now() + SECONDS * 1000
    const innocent = async (): Promise<string> => {
      await router.withTenant(second.slug, (db) => db.query('select pg_sleep(0.001)'))
      return 'done'
    }
    const aborted = async (): Promise<string> => {
      const controller = new AbortController()
      const abort = sleep(random.below(4)).then(() => controller.abort(new Error('stop')))
      const { signal } = controller
      const text = `select pg_sleep(${random.below(4) / 1000})`
      await router.withTenant(first.slug, (db) => db.query(text), { signal }).catch(() => {})
      await abort
      return 'aborted'
    }
    const counts = await tally(8, until, (worker) => (worker % 2 === 0 ? innocent() : aborted()))
    expect([...counts.keys()].toSorted()).toEqual(['aborted', 'done'])
  })
})
