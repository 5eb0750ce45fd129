import type { Pool } from 'pg'
import { SchemaRouter, type ScopeConfig } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Place, makeFleet, reportsPath } from '../isolation/fleet.js'
import { useDatabase } from '../support/database.js'
import { type PgBouncerOptions, findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'

const program = await findPgBouncer()
const database = useDatabase()
const HOME = 'select home from things limit 1'
let first: Place
let second: Place

beforeAll(async () => {
  if (program === undefined) return
  const [one, two] = await makeFleet(database.admin, 2, 0)
  if (one === undefined || two === undefined) throw new Error('Two tenants were asked for.')
  first = one
  second = two
})

interface Service {
  readonly pool: Pool
  readonly router: SchemaRouter
}

/** Lends two services behind one PgBouncer, each with a pool of its own. */
async function behind<R>(
  options: Omit<PgBouncerOptions, 'url' | 'program'>,
  fn: (one: Service, two: Service) => Promise<R>,
  scope: ScopeConfig = {},
): Promise<R> {
  if (program === undefined) throw new Error('There is no PgBouncer.')
  await using pooler = await startPgBouncer({ ...options, program, url: database.url })
  const serve = (): Service => {
    const pool = database.pool({ connectionString: pooler.url, max: 2 })
    pool.on('error', () => {})
    const schemas = { tenants: { prefix: 'tenant_', searchPath: ['public'] } }
    return { pool, router: new SchemaRouter({ pool, schemas, scope }) }
  }
  const [one, two] = [serve(), serve()]
  try {
    return await fn(one, two)
  } finally {
    await Promise.all([one.pool.end(), two.pool.end()])
  }
}

const homeOf = async (db: { query: Pool['query'] }): Promise<string | undefined> =>
  (await db.query<{ home: string }>(HOME)).rows[0]?.home

describe.skipIf(program === undefined)('PgBouncer in transaction mode', () => {
  const oneConnection = { mode: 'transaction', size: 1 } as const

  it('is noticed by a session scope, which is refused', async () => {
    await behind(oneConnection, async ({ router }) => {
      const scope = router.withTenant(first.slug, homeOf, { scope: 'session' })
      await expect(scope).rejects.toMatchObject({ code: 'POOLER_IN_BETWEEN' })
      expect(await homeOf(router.poolFor(second.slug))).toBe(second.schema)
    })
  })

  it('lets no schema answer that got the name of a tenant’s meanwhile', async () => {
    const aside = `${first.schema}_aside`
    await behind(oneConnection, async ({ router }) => {
      await router.withTenant(first.slug, async (db) => {
        expect(await homeOf(db)).toBe(first.schema)
        await database.admin.query(
          `alter schema ${first.schema} rename to ${aside}; create schema ${first.schema};
           create table ${first.schema}.things as select 'another' as home`,
        )
        const gone = { code: 'SCHEMA_MISSING', schema: first.schema }
        await expect(homeOf(db)).rejects.toMatchObject(gone)
        await database.admin.query(
          `drop schema ${first.schema} cascade; alter schema ${aside} rename to ${first.schema}`,
        )
        expect(await homeOf(db)).toBe(first.schema)
      })
    })
  })

  it('passes the cancel of an aborted scope on to the server', async () => {
    await behind({ mode: 'transaction', size: 2 }, async ({ router }) => {
      const began = Date.now()
      const scope = router.withTenant(first.slug, (db) => db.query('select pg_sleep(20)'), {
        signal: AbortSignal.timeout(200),
      })
      await expect(scope).rejects.toThrow(/timeout/)
      const { rows } = await database.admin.query(
        `select pid from pg_stat_activity
          where datname = current_database() and state = 'active' and query like '%pg_sleep(20)'`,
      )
      expect(rows).toEqual([])
      expect(Date.now() - began).toBeLessThan(10_000)
    })
  })

  it('gets no named statement from a router that does not ask for them', async () => {
    await behind(oneConnection, async ({ router, pool }) => {
      for (const { slug } of [first, second, first]) await homeOf(router.poolFor(slug))
      const { rows } = await pool.query('select name from pg_prepared_statements')
      expect(rows).toEqual([])
    })
  })

  it('keeps the transaction of a scope on one server connection', async () => {
    await behind(oneConnection, async ({ router }, other) => {
      let waiting: Promise<string | undefined> = Promise.resolve(undefined)
      const seen = await router.withTenant(
        first.slug,
        async (db) => {
          const before = await homeOf(db)
          waiting = homeOf(other.router.poolFor(second.slug))
          await db.query('select pg_sleep(0.1)')
          return [before, await homeOf(db)]
        },
        { transaction: true },
      )
      expect(seen).toEqual([first.schema, first.schema])
      expect(await waiting).toBe(second.schema)
    })
  })

  it('hands the SET of an unscoped query to another client, but to no scope', async () => {
    await behind(oneConnection, async (one, two) => {
      await one.pool.query(`set search_path to ${first.schema}`)
      expect(await homeOf(two.pool)).toBe(first.schema)
      expect(await homeOf(two.router.poolFor(second.slug))).toBe(second.schema)
    })
  })

  it('hands the SET of a scope to unscoped clients, but to no scope', async () => {
    await behind(oneConnection, async (one, two) => {
      await one.router.withTenant(first.slug, (db) =>
        db.query(`set search_path to ${first.schema}`),
      )
      expect(await homeOf(two.pool)).toBe(first.schema)
      expect(await homeOf(one.router.poolFor(second.slug))).toBe(second.schema)
      expect(await homeOf(two.router.poolFor(second.slug))).toBe(second.schema)
    })
  })

  it('hands temporary tables of another client to no scope, which goes on to work', async () => {
    await behind(oneConnection, async (one, two) => {
      await one.pool.query(`create temporary table things as select 'temporary'::text as home`)
      expect(await homeOf(two.pool)).toBe('temporary')
      const pool = two.router.poolFor(second.slug)
      expect([await homeOf(pool), await homeOf(pool)]).toEqual([second.schema, second.schema])
      expect(await two.router.withTenant(first.slug, homeOf, { transaction: true })).toBe(
        first.schema,
      )
      const user = two.router.withTenant(first.slug, async (db) => {
        await db.query('begin')
        const home = await homeOf(db)
        await db.query('commit')
        return home
      })
      expect(await user).toBe(first.schema)
    })
  })

  it.skipIf(program?.atLeast(20) !== true)(
    'keeps the path of each unscoped client apart when it tracks search_path (PostgreSQL 18)',
    async () => {
      const reports = await reportsPath(database.admin)
      const settings = { track_extra_parameters: 'search_path' }
      await behind({ ...oneConnection, settings }, async (one, two) => {
        await one.pool.query(`set search_path to ${first.schema}`)
        expect(await homeOf(two.pool)).toBe(reports ? 'public' : first.schema)
        expect(await homeOf(two.router.poolFor(second.slug))).toBe(second.schema)
      })
    },
  )

  it.skipIf(program?.atLeast(21) !== true)(
    'runs the named statements of each tenant from 1.21 on, with max_prepared_statements',
    async () => {
      const settings = { max_prepared_statements: '20' }
      const prepared = async ({ router }: Service): Promise<unknown> => {
        const homes: (string | undefined)[] = []
        for (const { slug } of [first, second, first]) {
          homes.push(await homeOf(router.poolFor(slug)))
        }
        return homes
      }
      await behind(
        { ...oneConnection, settings },
        async (one, two) => {
          const homes = [first.schema, second.schema, first.schema]
          expect(await Promise.all([prepared(one), prepared(two)])).toEqual([homes, homes])
        },
        { prepare: true },
      )
    },
  )
})

describe.skipIf(program === undefined)('PgBouncer in session mode', () => {
  it('runs a session scope when the router is told of it', async () => {
    await behind(
      { mode: 'session', size: 4 },
      async ({ router, pool }) => {
        expect(await router.withTenant(first.slug, homeOf, { scope: 'session' })).toBe(first.schema)
        expect(await homeOf(pool)).toBe('public')
      },
      { pooler: 'session' },
    )
  })

  it('is refused a session scope otherwise', async () => {
    await behind({ mode: 'session', size: 4 }, async ({ router }) => {
      const scope = router.withTenant(first.slug, homeOf, { scope: 'session' })
      await expect(scope).rejects.toMatchObject({ code: 'POOLER_IN_BETWEEN' })
    })
  })
})

describe.skipIf(program === undefined)('PgBouncer in statement mode', () => {
  it('runs single statements of each tenant', async () => {
    await behind({ mode: 'statement', size: 1 }, async (one, two) => {
      const homes = await Promise.all([
        homeOf(one.router.poolFor(first.slug)),
        homeOf(two.router.poolFor(second.slug)),
        one.router.withTenant(second.slug, homeOf),
      ])
      expect(homes).toEqual([first.schema, second.schema, second.schema])
    })
  })

  it('runs texts of several statements', async () => {
    await behind({ mode: 'statement', size: 1 }, async ({ router }) => {
      const text = `select 1; ${HOME}`
      const results: unknown = await router.poolFor(first.slug).query(text)
      expect(results).toMatchObject([{}, { rows: [{ home: first.schema }] }])
    })
  })

  it('refuses transactions', async () => {
    await behind({ mode: 'statement', size: 1 }, async ({ router }) => {
      const scope = router.withTenant(
        first.slug,
        async (db) => [await homeOf(db), await homeOf(db)],
        { transaction: true },
      )
      await expect(scope).rejects.toThrow(/transaction/)
    })
  })
})
