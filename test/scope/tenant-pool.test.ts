import pg, { type PoolClient } from 'pg'
import fc from 'fast-check'
import { SchemaRouter, TenantPool } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type Lender, bodies, fleet, useFleet } from '../support/lenders.js'
import { thrownBy } from '../unit/thrown.js'

const database = useDatabase()
const given = useFleet(database, { tenants: 5, pool: { max: 5 } })

const BODY = 'select body from notes order by id'

function rowOf({ schema }: Lender): readonly unknown[] {
  return [{ body: schema }]
}

/** A client of the ambient tenant's pool, taken as a tenant and used outside of its scope. */
function connectAs({ router }: Fleet, { slug }: Lender): Promise<PoolClient> {
  return router.runAs(slug, () => router.pool.connect())
}

function isWhole({ pool }: Fleet): boolean {
  return pool.idleCount === pool.totalCount && pool.waitingCount === 0
}

describe('router.pool', () => {
  it('is a pg.Pool by class, and a TenantPool by name', () => {
    const { router, acme } = given()
    for (const pool of [router.pool, router.poolFor(acme.slug)]) {
      expect(pool).toBeInstanceOf(pg.Pool)
      expect(pool).toBeInstanceOf(TenantPool)
      expect(pool.constructor.name).toBe('TenantPool')
    }
  })

  it('has the counts, the options and the state of the pool beneath', async () => {
    const { router, pool } = given()
    const client = await pool.connect()
    const counts = (): readonly unknown[] =>
      [router.pool, pool].map(
        ({ totalCount, idleCount, waitingCount, expiredCount, options, ending, ended }) => ({
          totalCount,
          idleCount,
          waitingCount,
          expiredCount,
          options,
          ending,
          ended,
        }),
      )
    const [busy, beneath] = counts()
    expect(busy).toEqual(beneath)
    expect(router.pool.totalCount - router.pool.idleCount).toBe(1)
    client.release()
    const [idle, after] = counts()
    expect(idle).toEqual(after)
    expect(router.pool.options.max).toBe(5)
    expect(router.pool.idleCount).toBe(router.pool.totalCount)
  })

  it('counts who waits for a client of the pool beneath', async () => {
    const { router, pool, acme } = await fleet(database, { pool: { max: 1 } })
    await router.tenants.get(acme.slug)
    const client = await pool.connect()
    const answer = router.runAs(acme.slug, () => router.pool.query(BODY))
    await expect.poll(() => router.pool.waitingCount).toBe(1)
    client.release()
    expect((await answer).rows).toEqual(rowOf(acme))
    expect(router.pool.waitingCount).toBe(0)
  })

  it('tells the events of the pool beneath, and stops when it is told to', async () => {
    const { router, acme } = given()
    await router.tenants.get(acme.slug)
    const heard: string[] = []
    const onAcquire = (): unknown => heard.push('acquire')
    const onRelease = (): unknown => heard.push('release')
    expect(router.pool.on('acquire', onAcquire)).toBe(router.pool)
    router.pool.once('release', onRelease)
    await router.runAs(acme.slug, () => router.pool.query(BODY))
    await router.runAs(acme.slug, () => router.pool.query(BODY))
    expect(heard).toEqual(['acquire', 'release', 'acquire'])
    router.pool.off('acquire', onAcquire)
    await router.runAs(acme.slug, () => router.pool.query(BODY))
    expect(heard).toHaveLength(3)
  })

  it('leaves the pool of its owner open when it is ended', async () => {
    const { router, pool, acme } = given()
    await router.pool.end()
    await new Promise<void>((resolve) => router.pool.end(resolve))
    await router.poolFor(acme.slug).end()
    expect(pool.ending).toBe(false)
    const { rows } = await router.runAs(acme.slug, () => router.pool.query(BODY))
    expect(rows).toEqual(rowOf(acme))
  })

  it('refuses a query outside of a scope, in every form', async () => {
    const { router, pool } = given()
    let acquired = 0
    const count = (): void => void (acquired += 1)
    pool.on('acquire', count)
    await expect(router.pool.query(BODY)).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
    await expect(router.pool.query(BODY, [])).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
    await expect(router.pool.connect()).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
    const byCallback = await new Promise((resolve) =>
      router.pool.query(BODY, (error: Error) => resolve(error)),
    )
    expect(byCallback).toMatchObject({ code: 'TENANT_NO_SCOPE' })
    const byQuery = await new Promise((resolve) => {
      const query = new pg.Query(BODY)
      query.on('error', resolve)
      // pg's own types know a pool's query by text and config only.
      const submit: (query: pg.Query) => unknown = router.pool.query
      submit(query)
    })
    expect(byQuery).toMatchObject({ code: 'TENANT_NO_SCOPE' })
    const byConnect = await new Promise((resolve) => router.pool.connect((error) => resolve(error)))
    expect(byConnect).toMatchObject({ code: 'TENANT_NO_SCOPE' })
    pool.off('acquire', count)
    expect(acquired).toBe(0)
  })

  it('answers for the innermost of nested scopes, and for the outer one again', async () => {
    const { router, acme, beta } = given()
    const answers = await router.withTenant(acme.slug, async (outer) => {
      const found = [(await router.pool.query(BODY)).rows]
      await router.withTenant(beta.slug, async (inner) => {
        found.push((await router.pool.query(BODY)).rows, (await inner.query(BODY)).rows)
        found.push((await outer.query(BODY)).rows)
        await router.withTenant(beta.slug, async () => {
          found.push((await router.pool.query(BODY)).rows)
        })
        found.push((await router.pool.query(BODY)).rows)
      })
      found.push((await router.pool.query(BODY)).rows, (await outer.query(BODY)).rows)
      return found
    })
    const [a, b] = [rowOf(acme), rowOf(beta)]
    expect(answers).toEqual([a, b, b, a, b, b, a, a])
    expect(isWhole(given())).toBe(true)
  })

  it('goes back to the outer scope after an inner one has failed', async () => {
    const { router, acme, beta } = given()
    const { rows } = await router.withTenant(acme.slug, async () => {
      const failed = router.withTenant(beta.slug, (db) => db.query('select nothing from notes'))
      await expect(failed).rejects.toMatchObject({ code: '42703' })
      return router.pool.query(BODY)
    })
    expect(rows).toEqual(rowOf(acme))
  })

  it('answers each of 40 concurrent transactions from its own schema', async () => {
    const made = given()
    const { router, lenders } = made
    const lots = fc.array(fc.integer({ min: 0, max: lenders.length - 1 }), {
      minLength: 40,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(lots, async (lot) => {
        const chosen = lot.map((index) => lenders[index] ?? made.acme)
        const answers = await Promise.all(
          chosen.map(({ slug }, at) => router.runAs(slug, () => inTransaction(router.pool, at))),
        )
        expect(answers).toEqual(
          chosen.map(({ schema }, at) => ({ schema, bodies: [schema, `${at}`], tenant: schema })),
        )
        expect(isWhole(made)).toBe(true)
      }),
      { numRuns: 10 },
    )
    for (const { schema } of lenders) expect(await bodies(database, schema)).toEqual([schema])
  })
})

/** What a query builder does with a pool: it writes, reads what it wrote, and takes it back. */
async function inTransaction(pool: pg.Pool, at: number): Promise<unknown> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('insert into notes (body) values ($1)', [`${at}`])
    const seen = await client.query<{ body: string }>(BODY)
    const where = await client.query<{ schema: string }>('select current_schema() as schema')
    await client.query(at % 2 === 0 ? 'rollback' : 'rollback and no chain')
    const after = await client.query<{ body: string }>(BODY)
    return {
      schema: where.rows[0]?.schema,
      bodies: seen.rows.map(({ body }) => body),
      tenant: after.rows[0]?.body,
    }
  } finally {
    client.release()
  }
}

describe('router.poolFor', () => {
  it('answers for its tenant, whatever is ambient', async () => {
    const { router, acme, beta } = given()
    const bound = router.poolFor(acme.slug)
    expect((await bound.query(BODY)).rows).toEqual(rowOf(acme))
    const inside = await router.withTenant(beta.slug, async (db) => {
      const client = await bound.connect()
      const byClient = await client.query(BODY)
      client.release()
      return [
        byClient,
        await bound.query(BODY),
        await router.pool.query(BODY),
        await db.query(BODY),
      ]
    })
    const [a, b] = [rowOf(acme), rowOf(beta)]
    expect(inside.map(({ rows }) => rows)).toEqual([a, a, b, b])
  })

  it('does not make its tenant ambient', async () => {
    const { router, acme, beta } = given()
    const bound = router.poolFor(acme.slug)
    await bound.query(BODY)
    expect(router.tryCurrent()).toBeUndefined()
    await router.runAs(beta.slug, () => bound.query(BODY))
    await expect(router.pool.query(BODY)).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })

  it('takes a tenant as well as a slug', async () => {
    const { router, acme } = given()
    const tenant = await router.tenants.get(acme.slug)
    expect((await router.poolFor(tenant).query(BODY)).rows).toEqual(rowOf(acme))
  })

  it('fails with each use for a tenant that does not exist', async () => {
    const { router } = given()
    const bound = router.poolFor('nobody')
    await expect(bound.query(BODY)).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    await expect(bound.connect()).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
  })
})

describe('router.pool.connect', () => {
  it('lends a client that keeps its tenant when another one is ambient', async () => {
    const made = given()
    const { router, acme, beta } = made
    const client = await connectAs(made, acme)
    const { rows } = await router.runAs(beta.slug, () => client.query(BODY))
    client.release()
    expect(rows).toEqual(rowOf(acme))
  })

  it('lends a client by callback, with a function that gives it back', async () => {
    const made = given()
    const { router, acme } = made
    const rows = await router.runAs(
      acme.slug,
      () =>
        new Promise((resolve, reject) => {
          const nothing: unknown = router.pool.connect((error, client, done) => {
            if (client === undefined) {
              reject(error)
              return
            }
            client.query(BODY, (failure, result) => {
              done()
              if (failure) reject(failure)
              else resolve(result.rows)
            })
          })
          expect(nothing).toBeUndefined()
        }),
    )
    expect(rows).toEqual(rowOf(acme))
    await expect.poll(() => isWhole(made)).toBe(true)
  })

  it('destroys a client when the callback’s function is told so', async () => {
    const made = await fleet(database, { pool: { max: 1 } })
    const { router, pool, acme } = made
    await router.tenants.get(acme.slug)
    const removed = new Promise<void>((resolve) => pool.once('remove', () => resolve()))
    router.poolFor(acme.slug).connect((error, _client, done) => done(error ?? true))
    await removed
    expect(pool.totalCount).toBe(0)
  })

  it('refuses a client that was released', async () => {
    const made = given()
    const client = await connectAs(made, made.acme)
    const { query, release } = client
    client.release()
    for (const use of [
      () => client.query(BODY),
      () => query(BODY),
      () => client.on('notice', () => {}),
      () => client.escapeIdentifier('a'),
    ]) {
      expect(thrownBy(use)).toMatchObject({ code: 'SCOPE_CLOSED', schema: made.acme.schema })
    }
    for (const again of [() => client.release(), () => release()]) {
      expect(thrownBy(again)).toMatchObject({ code: 'SCOPE_CLOSED' })
    }
    await expect.poll(() => isWhole(made)).toBe(true)
  })

  it('does not take the client from whoever borrowed it next', async () => {
    const made = await fleet(database, { pool: { max: 1 } })
    const first = await connectAs(made, made.acme)
    first.release()
    const second = await connectAs(made, made.beta)
    expect(thrownBy(() => first.release())).toMatchObject({ code: 'SCOPE_CLOSED' })
    expect(thrownBy(() => first.query('rollback'))).toMatchObject({ code: 'SCOPE_CLOSED' })
    expect((await second.query(BODY)).rows).toEqual(rowOf(made.beta))
    second.release()
  })

  it.each([
    ['true', true],
    ['an error', new Error('broken')],
  ])('destroys a client that is released with %s', async (_, destroy) => {
    const made = await fleet(database, { pool: { max: 1 } })
    const pid = async (): Promise<unknown> => {
      const { rows } = await made.router
        .poolFor(made.acme.slug)
        .query('select pg_backend_pid() as pid')
      return rows[0]
    }
    const before = await pid()
    expect(await pid()).toEqual(before)
    const client = await connectAs(made, made.acme)
    const removed = new Promise<void>((resolve) => made.pool.once('remove', () => resolve()))
    client.release(destroy)
    await removed
    expect(await pid()).not.toEqual(before)
  })

  it('rolls back a transaction that is open at the release', async () => {
    const made = given()
    const client = await connectAs(made, made.acme)
    await client.query('begin')
    await client.query(`insert into notes (body) values ('lost')`)
    client.release()
    await expect.poll(() => isWhole(made)).toBe(true)
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
  })
})

describe('router.close', () => {
  it('closes a pool that the router made', async () => {
    const { acme } = given()
    const prefix = acme.schema.slice(0, -acme.slug.length)
    const router = new SchemaRouter({
      connectionString: database.url,
      poolOptions: { max: 2 },
      schemas: { tenants: { prefix } },
    })
    expect((await router.poolFor(acme.slug).query(BODY)).rows).toEqual(rowOf(acme))
    expect(router.pool.options.max).toBe(2)
    expect(router.pool.ending).toBe(false)
    await router.close()
    expect([router.pool.ending, router.pool.ended]).toEqual([true, true])
    await router.close()
    await expect(router.poolFor(acme.slug).query(BODY)).rejects.toThrow('after calling end')
  })

  it('leaves a pool that it was given open', async () => {
    const { router, pool, acme } = await fleet(database)
    await router.close()
    await router[Symbol.asyncDispose]()
    expect(pool.ending).toBe(false)
    expect((await router.poolFor(acme.slug).query(BODY)).rows).toEqual(rowOf(acme))
  })
})
