import { isTenantryError } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type FleetOptions, type Lender, bodies, fleet } from '../support/lenders.js'

const database = useDatabase()

const BODY = 'select body from notes'

function rowOf({ schema }: Lender): readonly unknown[] {
  return [{ body: schema }]
}

/** A fleet whose tenants are all looked up, so that a scope needs its own client only. */
async function looked(options: FleetOptions): Promise<Fleet> {
  const made = await fleet(database, options)
  for (const { slug } of made.lenders) await made.router.tenants.get(slug)
  return made
}

async function expectWhole({ pool }: Fleet): Promise<void> {
  await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0)
  expect(pool.waitingCount).toBe(0)
}

/** Each tenant still answers, so no client was lost. */
async function expectServing(made: Fleet): Promise<void> {
  await expectWhole(made)
  const { max } = made.pool.options
  const lenders = Array.from({ length: max * 2 }, () => made.lenders).flat()
  const answers = await Promise.all(
    lenders.map(({ slug }) => made.router.poolFor(slug).query(BODY)),
  )
  expect(answers.map(({ rows }) => rows)).toEqual(lenders.map(rowOf))
}

/** The rows, or the code of a refusal; anything else fails the test. */
async function rowsOrCode(work: Promise<{ readonly rows: unknown }>): Promise<unknown> {
  try {
    return (await work).rows
  } catch (error) {
    if (!isTenantryError(error)) throw error
    return error.code
  }
}

describe('POOL_STARVED', () => {
  it('settles 50 concurrent scopes that each open another one after a query', async () => {
    const made = await looked({ tenants: 5, pool: { max: 2 } })
    const { router, lenders, acme } = made
    const pairs = Array.from({ length: 50 }, (_, at) => [
      lenders[at % lenders.length] ?? acme,
      lenders[(at + 1) % lenders.length] ?? acme,
    ]) as readonly (readonly [Lender, Lender])[]
    const answers = await Promise.all(
      pairs.map(([outer, inner]) =>
        router.withTenant(outer.slug, async (db) => {
          expect((await db.query(BODY)).rows).toEqual(rowOf(outer))
          const nested = await rowsOrCode(
            router.withTenant(inner.slug, (other) => other.query(BODY)),
          )
          expect((await db.query(BODY)).rows).toEqual(rowOf(outer))
          return { nested, expected: rowOf(inner) }
        }),
      ),
    )
    const served = answers.filter(({ nested }) => nested !== 'POOL_STARVED')
    expect(served.map(({ nested }) => nested)).toEqual(served.map(({ expected }) => expected))
    expect(served.length).toBeGreaterThan(0)
    await expectServing(made)
  })

  it('settles concurrent scopes that are nested three deep', async () => {
    const made = await looked({ tenants: 3, pool: { max: 3 } })
    const { router, lenders, acme } = made
    const slugOf = (at: number): string => (lenders[at % lenders.length] ?? acme).slug
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        rowsOrCode(
          router.withTenant(slugOf(at), async (db) => {
            await db.query(BODY)
            return router.withTenant(slugOf(at + 1), async (second) => {
              await second.query(BODY)
              return router.withTenant(slugOf(at + 2), (third) => third.query(BODY))
            })
          }),
        ),
      ),
    )
    for (const [at, answer] of answers.entries()) {
      if (answer === 'POOL_STARVED') continue
      expect(answer).toEqual(rowOf(lenders[(at + 2) % lenders.length] ?? acme))
    }
    await expectServing(made)
  })

  const INSIDE: Readonly<Record<string, (made: Fleet) => Promise<unknown>>> = {
    'router.pool.query': ({ router }) => router.pool.query(BODY),
    'router.pool.connect': ({ router }) => router.pool.connect(),
    'a pool that is bound to another tenant': ({ router, beta }) =>
      router.poolFor(beta.slug).query(BODY),
    'a scope of the same tenant': ({ router, acme }) =>
      router.withTenant(acme.slug, (db) => db.query(BODY)),
    'a scope of another tenant': ({ router, beta }) =>
      router.withTenant(beta.slug, (db) => db.query(BODY)),
    'a transaction of another tenant': ({ router, beta }) =>
      router.withTenant(beta.slug, (db) => db.query(BODY), { transaction: true }),
    'a session scope of another tenant': ({ router, beta }) =>
      router.withTenant(beta.slug, (db) => db.query(BODY), { scope: 'session' }),
    'a scope of the shared schema': ({ router }) =>
      router.withSchema('public', (db) => db.query(BODY)),
    'a query of another tenant’s scope that was entered by runAs': ({ router, beta }) =>
      router.runAs(beta.slug, () => router.pool.query(BODY)),
    'the list of tenants': ({ router }) => router.tenants.list(),
    'the resolving of a request': ({ router }) => router.resolve({ host: 'nobody.example.com' }),
    'a tenant that is created': ({ router }) => router.tenants.create({ slug: 'made-inside' }),
    'a domain that is added': ({ router, acme }) =>
      router.tenants.domains.add(acme.slug, 'inside.example.com'),
  }

  it.each(Object.entries(INSIDE))(
    'refuses %s inside of a scope that holds the only client',
    async (_, inside) => {
      const made = await looked({ pool: { max: 1 } })
      const { router, acme } = made
      await router.withTenant(acme.slug, async (db) => {
        await db.query(BODY)
        await expect(inside(made)).rejects.toMatchObject({ code: 'POOL_STARVED' })
        expect((await db.query(BODY)).rows).toEqual(rowOf(acme))
      })
      await expectServing(made)
    },
    // Less than the time that a wait for a client may take: it is refused at once.
    5_000,
  )

  it('refuses a tenant inside of it that is not looked up yet', async () => {
    const made = await fleet(database, { pool: { max: 1 } })
    const { router, acme, beta } = made
    await router.withTenant(acme.slug, async (db) => {
      await db.query(BODY)
      const nested = router.withTenant(beta.slug, (other) => other.query(BODY))
      await expect(nested).rejects.toMatchObject({ code: 'POOL_STARVED' })
    })
    await expectServing(made)
  })

  it('is not remembered: the tenant is looked up again afterwards', async () => {
    const made = await fleet(database, { pool: { max: 1 } })
    const { router, acme, beta } = made
    await router.withTenant(acme.slug, async (db) => {
      await db.query(BODY)
      await expect(router.tenants.get(beta.slug)).rejects.toMatchObject({ code: 'POOL_STARVED' })
    })
    expect(await router.tenants.get(beta.slug)).toMatchObject({ slug: beta.slug })
  })

  it('is thrown through a transaction, which is rolled back', async () => {
    const made = await looked({ pool: { max: 1 } })
    const { router, acme } = made
    const starved = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        await router.pool.query(BODY)
      },
      { transaction: true },
    )
    await expect(starved).rejects.toMatchObject({ code: 'POOL_STARVED' })
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
    await expectServing(made)
  })

  it('is spared a scope inside of one that has run no query', async () => {
    const made = await looked({ pool: { max: 1 } })
    const { router, acme, beta } = made
    const answers = await router.withTenant(acme.slug, async (outer) => {
      const inner = await router.withTenant(beta.slug, (db) => db.query(BODY))
      return [inner, await router.pool.query(BODY), await outer.query(BODY)]
    })
    expect(answers.map(({ rows }) => rows)).toEqual([rowOf(beta), rowOf(acme), rowOf(acme)])
    await expectServing(made)
  })

  it('is spared code that only waits for its turn', async () => {
    const made = await looked({ tenants: 4, pool: { max: 1 } })
    const { router, lenders } = made
    const chosen = Array.from({ length: 10 }, () => lenders).flat()
    const answers = await Promise.all(
      chosen.map(({ slug }) => router.withTenant(slug, (db) => db.query(BODY))),
    )
    expect(answers.map(({ rows }) => rows)).toEqual(chosen.map(rowOf))
  })

  it('says for how long there was no client when the wait is over', async () => {
    const made = await looked({ pool: { max: 1 }, scope: { acquireTimeout: 1_000 } })
    const { router, pool, acme } = made
    const stuck = await pool.connect()
    const waits = [
      () => router.withTenant(acme.slug, (db) => db.query(BODY)),
      () => router.poolFor(acme.slug).query(BODY),
      () => router.poolFor(acme.slug).connect(),
      () => router.tenants.list(),
    ]
    for (const wait of waits) {
      await expect(wait()).rejects.toMatchObject({
        code: 'POOL_STARVED',
        message: expect.stringMatching(/no client was free for 1000 ms \(1 in use, 0 of them/),
      })
    }
    stuck.release()
    await expectServing(made)
  })

  it('says that every client is held by scopes that wait', async () => {
    const made = await looked({ pool: { max: 2 } })
    const { router, acme, beta } = made
    await router.withTenant(acme.slug, async (db) => {
      await db.query(BODY)
      await router.withTenant(beta.slug, async (other) => {
        await other.query(BODY)
        await expect(router.pool.query(BODY)).rejects.toMatchObject({
          code: 'POOL_STARVED',
          message: expect.stringContaining('all 2 clients are held by scopes that wait'),
        })
      })
    })
    await expectServing(made)
  })

  it('is spared a scope that waits for a client that will come back', async () => {
    const made = await looked({ pool: { max: 2 } })
    const { router, pool, acme, beta } = made
    const busy = await pool.connect()
    const { rows } = await router.withTenant(acme.slug, async (db) => {
      await db.query(BODY)
      const nested = router.withTenant(beta.slug, (other) => other.query(BODY))
      await expect.poll(() => pool.waitingCount).toBe(1)
      busy.release()
      return nested
    })
    expect(rows).toEqual(rowOf(beta))
    await expectServing(made)
  })

  it('is what a scope gets that waits for a look-up of another one, behind its own client', async () => {
    const { router, pool, acme, beta } = await fleet(database, { tenants: 2, pool: { max: 1 } })
    await router.tenants.get(acme.slug)
    const nested = router.withTenant(acme.slug, async (db) => {
      await db.query(BODY)
      await new Promise<void>((resolve) => {
        // Outside of the scope, and before it: the look-up is the other one's.
        setImmediate(() => resolve())
      })
      return router.withTenant(beta.slug, (other) => other.query(BODY))
    })
    const elsewhere = router.withTenant(beta.slug, (other) => other.query(BODY))
    await expect(nested).rejects.toMatchObject({ code: 'POOL_STARVED' })
    await expect(elsewhere).resolves.toMatchObject({ rows: rowOf(beta) })
    expect(pool.waitingCount).toBe(0)
  })
})
