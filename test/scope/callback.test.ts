import { Query, type PoolClient, type QueryResult } from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Lender, useFleet } from '../support/lenders.js'
import { type Db, WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { tenants: 5, pool: { max: 3 } })

/** pg takes a config and a callback, but its types do not. */
function asText(config: object): string {
  return config as unknown as string
}

interface Heard {
  readonly error: Error | null | undefined
  readonly result: QueryResult<{ body: string }> | undefined
  readonly tenant: string | undefined
}

type Hear = (error: Error | null | undefined, result?: QueryResult<{ body: string }>) => void

const FORMS: Readonly<Record<string, (db: Db, hear: Hear) => unknown>> = {
  'a text': (db, hear) => db.query('select body from notes', hear),
  'a text and values': (db, hear) => db.query('select body from notes where id = $1', [1], hear),
  'a config': (db, hear) => db.query(asText({ text: 'select body from notes' }), hear),
  'a config and values': (db, hear) =>
    db.query(asText({ text: 'select body from notes where id = $1' }), [1], hear),
  'a query object': (db, hear) => db.query(new Query('select body from notes', hear)),
}

/** Calls back with what was heard, and as whom. */
function heard(start: (hear: Hear) => unknown): Promise<Heard> {
  return new Promise((resolve) => {
    start((error, result) => {
      resolve({ error, result, tenant: given().router.tryCurrent()?.slug })
    })
  })
}

/** Many tenants at once on a few connections, so that a lost context is somebody else's. */
async function asMany<R>(fn: (lender: Lender) => Promise<R>): Promise<readonly [Lender, R][]> {
  const lenders = Array.from({ length: 8 }, () => given().lenders).flat()
  return Promise.all(
    lenders.map(async (lender): Promise<[Lender, R]> => [lender, await fn(lender)]),
  )
}

describe.each(WAYS)('a callback through $name', ({ run }) => {
  it.each(Object.entries(FORMS))('hears the result of %s', async (_, form) => {
    const { acme } = given()
    const { error, result } = await run(given(), acme, (db) => heard((hear) => form(db, hear)))
    expect(error ?? null).toBeNull()
    expect(result?.rows).toEqual([{ body: acme.schema }])
  })

  it.each(Object.entries(FORMS))('of %s runs as the caller’s tenant', async (_, form) => {
    const { router } = given()
    const answers = await asMany((lender) =>
      router.runAs(lender.slug, () =>
        run(given(), lender, (db) => heard((hear) => form(db, hear))),
      ),
    )
    for (const [{ slug, schema }, { result, tenant }] of answers) {
      expect(result?.rows).toEqual([{ body: schema }])
      expect(tenant).toBe(slug)
    }
  })

  it('hears the error of a statement', async () => {
    const { acme } = given()
    const { error, result } = await run(given(), acme, (db) =>
      heard((hear) => db.query('select nothing from notes', hear)),
    )
    expect(error).toMatchObject({ code: '42703', position: '8' })
    expect(result).toBeUndefined()
  })

  it('makes query return nothing', async () => {
    const { acme } = given()
    await run(given(), acme, (db) =>
      heard((hear) => expect(db.query('select body from notes', hear)).toBeUndefined()),
    )
  })

  it('hears the events of a query object as the caller’s tenant', async () => {
    const { router } = given()
    const answers = await asMany((lender) =>
      router.runAs(lender.slug, () =>
        run(given(), lender, async (db) => {
          const query = db.query(new Query('select body from notes'))
          const tenants: (string | undefined)[] = []
          query.on('row', () => tenants.push(router.tryCurrent()?.slug))
          await new Promise((resolve, reject) => {
            query.on('end', () => resolve(tenants.push(router.tryCurrent()?.slug)))
            query.on('error', reject)
          })
          return tenants
        }),
      ),
    )
    for (const [{ slug }, tenants] of answers) expect(tenants).toEqual([slug, slug])
  })

  it('hears the data of a stream as the caller’s tenant', async () => {
    const { router } = given()
    const answers = await asMany((lender) =>
      router.runAs(lender.slug, () =>
        run(given(), lender, async (db) => {
          const stream = db.query(new QueryStream('select body from notes'))
          const tenants: (string | undefined)[] = []
          stream.on('data', () => tenants.push(router.tryCurrent()?.slug))
          await new Promise((resolve, reject) => {
            stream.on('end', () => resolve(tenants.push(router.tryCurrent()?.slug)))
            stream.on('error', reject)
          })
          return tenants
        }),
      ),
    )
    for (const [{ slug }, tenants] of answers) expect(tenants).toEqual([slug, slug])
  })

  it('reads a cursor as the caller’s tenant', async () => {
    const { router } = given()
    const answers = await asMany((lender) =>
      router.runAs(lender.slug, () =>
        run(given(), lender, async (db) => {
          const cursor = db.query(new Cursor<{ body: string }>('select body from notes'))
          const rows = await cursor.read(1)
          const tenant = router.tryCurrent()?.slug
          await cursor.close()
          return { rows, tenant }
        }),
      ),
    )
    for (const [{ slug, schema }, { rows, tenant }] of answers) {
      expect(rows).toEqual([{ body: schema }])
      expect(tenant).toBe(slug)
    }
  })
})

describe('router.pool.connect with a callback', () => {
  it('hands over a client of the tenant, and takes it back', async () => {
    const { router, pool, acme } = given()
    const rows = await router.runAs(acme.slug, () => lend((client) => client.query('table notes')))
    expect(rows).toMatchObject({ rows: [{ id: 1, body: acme.schema }] })
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('calls back as the caller’s tenant', async () => {
    const { router } = given()
    const answers = await asMany((lender) =>
      router.runAs(lender.slug, () => lend(async () => router.tryCurrent()?.slug)),
    )
    for (const [{ slug }, tenant] of answers) expect(tenant).toBe(slug)
  })

  it('hands over the error outside of a scope', async () => {
    const { router } = given()
    const error = await new Promise((resolve) => router.pool.connect((failure) => resolve(failure)))
    expect(error).toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })
})

function lend<R>(fn: (client: PoolClient) => Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    given().router.pool.connect((error, client, done) => {
      if (client === undefined) reject(error)
      else fn(client).finally(done).then(resolve, reject)
    })
  })
}
