import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { from as copyFrom } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import { type ScopedClient, isTenantryError } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, fleet, type Fleet } from '../support/lenders.js'

const database = useDatabase()

/** A fleet whose tenants are looked up already, so that every client taken is a scope's. */
async function known(max = 2): Promise<Fleet & { readonly taken: () => number }> {
  const made = await fleet(database, { pool: { max } })
  for (const { slug } of made.lenders) await made.router.tenants.get(slug)
  let taken = 0
  made.pool.on('acquire', () => (taken += 1))
  return { ...made, taken: () => taken }
}

describe('the client of a scope', () => {
  it('is not taken from the pool without a query', async () => {
    const { router, acme, taken } = await known()
    const options = [{}, { transaction: true }, { scope: 'session' }] as const
    for (const each of options) {
      expect(await router.withTenant(acme.slug, () => 7, each)).toBe(7)
    }
    expect(await router.runAs(acme.slug, () => router.current().slug)).toBe(acme.slug)
    expect(taken()).toBe(0)
  })

  it('is not taken from the pool by the queries of router.pool', async () => {
    const { router, acme, taken } = await known(1)
    await router.withTenant(acme.slug, async () => {
      await router.pool.query('select body from notes')
      await router.pool.query('select body from notes')
    })
    expect(taken()).toBe(2)
  })

  it('is taken once, by the first query, and given back at the end', async () => {
    const { router, pool, acme, taken } = await known()
    await router.withTenant(acme.slug, async (db) => {
      expect(taken()).toBe(0)
      await Promise.all([db.query('select 1'), db.query('select 2'), db.query('select 3')])
      await db.query('select 4')
      expect(taken()).toBe(1)
      expect(pool.totalCount - pool.idleCount).toBe(1)
    })
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('knows its schema', async () => {
    const { router, acme } = await known()
    expect(await router.withTenant(acme.slug, (db) => db.schema)).toBe(acme.schema)
    expect(await router.withSchema('public', (db) => db.schema)).toBe('public')
  })

  it('runs its statements in the order of the calls', async () => {
    const { router, acme } = await known()
    const order: number[] = []
    await router.withTenant(acme.slug, async (db) => {
      const sleeps = [0.03, 0.01, 0]
      await Promise.all(
        sleeps.map(async (seconds, index) => {
          await db.query('select pg_sleep($1)', [seconds])
          order.push(index)
        }),
      )
    })
    expect(order).toEqual([0, 1, 2])
  })

  it('makes the tenant ambient, and ends with what the function returns', async () => {
    const { router, acme } = await known()
    const answer = await router.withTenant(acme.slug, async (db) => {
      const { rows } = await router.pool.query<{ body: string }>('select body from notes')
      await db.query('select 1')
      return { body: rows[0]?.body, slug: router.current().slug }
    })
    expect(answer).toEqual({ body: acme.schema, slug: acme.slug })
    expect(router.tryCurrent()).toBeUndefined()
  })

  it('is given back when the function throws at once', async () => {
    const { router, pool, acme } = await known()
    const failure = new RangeError('at once')
    const scope = router.withTenant(acme.slug, () => {
      throw failure
    })
    await expect(scope).rejects.toBe(failure)
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('goes on after a client could not be had', async () => {
    const { router, pool, acme } = await known(1)
    await router.withTenant(acme.slug, async (db) => {
      const held = await pool.connect()
      Object.assign(pool.options, { connectionTimeoutMillis: 20 })
      await expect(db.query('select 1')).rejects.toThrow('timeout exceeded')
      Object.assign(pool.options, { connectionTimeoutMillis: 0 })
      held.release()
      const { rows } = await db.query('select body from notes')
      expect(rows).toEqual([{ body: acme.schema }])
    })
  })
})

describe('the client of a scope that has ended', () => {
  const USES: Readonly<Record<string, (db: ScopedClient) => unknown>> = {
    'a text': (db) => db.query('select body from notes'),
    'a text with values': (db) => db.query('select body from notes where id = $1', [1]),
    'a callback': (db) =>
      new Promise((resolve, reject) => {
        db.query('select 1', (error) => (error ? reject(error) : resolve(undefined)))
      }),
    'a cursor': (db) => db.query(new Cursor('select body from notes')).read(1),
    'a COPY': (db) =>
      pipeline(Readable.from(['in\n']), db.query(copyFrom('copy notes (body) from stdin'))),
    'a savepoint': (db) => db.savepoint(async () => {}),
    'its query function alone': ({ query }) => query('select body from notes'),
  }

  async function stale(fail = false): Promise<{ db: ScopedClient; made: Fleet }> {
    const made = await known(1)
    const kept: ScopedClient[] = []
    const scope = made.router.withTenant(made.acme.slug, async (db) => {
      kept.push(db)
      await db.query('select 1')
      if (fail) throw new RangeError('the function has failed')
    })
    await scope.catch(() => {})
    const [db] = kept
    if (db === undefined) throw new Error('The function was not called.')
    return { db, made }
  }

  it.each(Object.entries(USES))('refuses %s', async (_, use) => {
    const { db, made } = await stale()
    await expect((async () => use(db))()).rejects.toMatchObject({
      code: 'SCOPE_CLOSED',
      schema: made.acme.schema,
    })
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
  })

  it.each(Object.entries(USES))('refuses %s after a failure, too', async (_, use) => {
    const { db } = await stale(true)
    await expect((async () => use(db))()).rejects.toMatchObject({ code: 'SCOPE_CLOSED' })
  })

  it('refuses what was begun in time and goes on too late', async () => {
    const { router, acme, beta } = await known(1)
    const late: Promise<unknown>[] = []
    await router.withTenant(acme.slug, async (db) => {
      const second = db
        .query('select 1')
        .then(() => db.query(`insert into notes (body) values ('late')`))
      late.push(second.catch((error: unknown) => error))
    })
    await router.withTenant(beta.slug, (db) => db.query('select 1'))
    const [outcome] = await Promise.all(late)
    // It may have been just in time; it must never have reached the other tenant.
    const added = isTenantryError(outcome, 'SCOPE_CLOSED') ? [] : ['late']
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, ...added])
    expect(await bodies(database, beta.schema)).toEqual([beta.schema])
  })

  it('refuses a query although its scope took no client', async () => {
    const { router, acme, taken } = await known()
    const kept: ScopedClient[] = []
    await router.withTenant(acme.slug, (db) => void kept.push(db))
    for (const db of kept) {
      await expect((async () => db.query('select 1'))()).rejects.toMatchObject({
        code: 'SCOPE_CLOSED',
      })
    }
    expect(kept).toHaveLength(1)
    expect(taken()).toBe(0)
  })
})

describe('a query that the function does not await', () => {
  it('is run to its end before the client goes back', async () => {
    const { router, pool, acme, beta } = await known(1)
    await router.withTenant(acme.slug, (db) => {
      void db.query(`insert into notes (body) select 'floating' from pg_sleep(0.02)`)
      void db.query(`insert into notes (body) values ('floating, too')`)
    })
    expect(pool.idleCount).toBe(pool.totalCount)
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, 'floating', 'floating, too'])
    const { rows } = await router.withTenant(beta.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: beta.schema }])
  })

  it('is run in its own schema when the function has failed meanwhile', async () => {
    const { router, acme } = await known(1)
    const scope = router.withTenant(acme.slug, (db) => {
      void db.query(`insert into notes (body) values ('floating')`)
      throw new RangeError('the function has failed')
    })
    await expect(scope).rejects.toThrow(RangeError)
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, 'floating'])
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it('tells its error to whoever listens', async () => {
    const { router, acme } = await known(1)
    const floating: Promise<unknown>[] = []
    await router.withTenant(acme.slug, (db) => {
      floating.push(db.query('nonsense').catch((error: unknown) => error))
    })
    expect(await Promise.all(floating)).toMatchObject([{ code: '42601' }])
  })

  it('of router.pool answers for the tenant of the call', async () => {
    const { router, acme, beta } = await known(2)
    const floating: Promise<{ rows: unknown[] }>[] = []
    for (const lender of [acme, beta]) {
      await router.runAs(lender.slug, () => {
        floating.push(router.pool.query('select body from notes'))
      })
    }
    const answers = await Promise.all(floating)
    expect(answers.map(({ rows }) => rows)).toEqual([
      [{ body: acme.schema }],
      [{ body: beta.schema }],
    ])
  })
})

describe('a client of router.pool that was released', () => {
  it('while a statement runs goes back after the statement', async () => {
    const { router, pool, acme, beta } = await known(1)
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    const running = client.query(`insert into notes (body) select 'late' from pg_sleep(0.02)`)
    const back = once(pool, 'release')
    client.release()
    const next = router.withTenant(beta.slug, (db) => db.query('select body from notes'))
    await running
    await back
    expect((await next).rows).toEqual([{ body: beta.schema }])
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, 'late'])
  })

  it('with an error is replaced', async () => {
    const { router, pool, acme } = await known(1)
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    const removed = once(pool, 'remove')
    client.release(new Error('the caller has lost trust'))
    await removed
    expect(pool.totalCount).toBe(0)
  })
})

describe('withTenant without a tenant', () => {
  it('is the ambient tenant’s', async () => {
    const { router, acme } = await known()
    const rows = await router.runAs(acme.slug, () =>
      router.withTenant(async (db) => (await db.query('select body from notes')).rows),
    )
    expect(rows).toEqual([{ body: acme.schema }])
    const inTransaction = await router.runAs(acme.slug, () =>
      router.withTenant(async (db) => (await db.query('show transaction_isolation')).rows, {
        transaction: true,
        isolation: 'serializable',
      }),
    )
    expect(inTransaction).toEqual([{ transaction_isolation: 'serializable' }])
  })

  it('fails outside of a scope', async () => {
    const { router, taken } = await known()
    await expect(router.withTenant((db) => db.query('select 1'))).rejects.toMatchObject({
      code: 'TENANT_NO_SCOPE',
    })
    expect(taken()).toBe(0)
  })
})
