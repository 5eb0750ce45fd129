import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, type Lender, useFleet } from '../support/lenders.js'
import { type Db, WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

interface Note {
  readonly id: number
  readonly body: string
}

const ALL = 'select id, body from notes order by id'

beforeEach(async () => {
  for (const { schema } of given().lenders) {
    await database.admin.query(
      `insert into ${schema}.notes (body) select '${schema}' from generate_series(2, 250)`,
    )
  }
})

function whose(rows: readonly Note[]): readonly string[] {
  return [...new Set(rows.map(({ body }) => body))]
}

/** The next statement on the same connection answers for its own tenant. */
async function expectUsable(
  run: (lender: Lender, fn: (db: Db) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { acme, beta } = given()
  for (const lender of [acme, beta]) {
    await run(lender, async (db) => {
      const { rows } = await db.query<Note>(ALL)
      expect(whose(rows)).toEqual([lender.schema])
    })
  }
}

describe.each(WAYS)('pg-cursor through $name', (way) => {
  const run = <R>(lender: Lender, fn: (db: Db) => Promise<R>): Promise<R> =>
    way.run(given(), lender, fn)

  it('reads in portions, to the end', async () => {
    const { acme } = given()
    const sizes = await run(acme, async (db) => {
      const cursor = db.query(new Cursor<Note>(ALL))
      const portions = [await cursor.read(100), await cursor.read(100), await cursor.read(100)]
      expect(await cursor.read(100)).toEqual([])
      expect(whose(portions.flat())).toEqual([acme.schema])
      return portions.map(({ length }) => length)
    })
    expect(sizes).toEqual([100, 100, 50])
    await expectUsable(run)
  })

  it('can be closed early', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const cursor = db.query(new Cursor<Note>(ALL))
      expect(whose(await cursor.read(10))).toEqual([acme.schema])
      await cursor.close()
    })
    await expectUsable(run)
  })

  it('takes values, and rows as arrays', async () => {
    const { acme } = given()
    const rows = await run(acme, async (db) => {
      const text = 'select body, id from notes where id = $1'
      const cursor = db.query(new Cursor(text, [7], { rowMode: 'array' }))
      const portion = await cursor.read(5)
      await cursor.close()
      return portion
    })
    expect(rows).toEqual([[acme.schema, 7]])
  })

  it('commits what it has written', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const text = `insert into notes (body) values ('a'), ('b') returning id`
      const cursor = db.query(new Cursor(text))
      expect(await cursor.read(10)).toHaveLength(2)
      await cursor.close()
    })
    expect((await bodies(database, acme.schema)).slice(-2)).toEqual(['a', 'b'])
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it('reads nothing from a statement without rows', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const cursor = db.query(new Cursor(`update notes set body = 'x' where false`))
      expect(await cursor.read(10)).toEqual([])
    })
    await expectUsable(run)
  })

  it('fails as plain pg does, and the connection goes on', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const reading = db.query(new Cursor('select nothing from notes')).read(1)
      await expect(reading).rejects.toMatchObject({ code: '42703', position: '8' })
    })
    await run(acme, async (db) => {
      const cursor = db.query(new Cursor('select 1 / (50 - id) from notes'))
      await expect(cursor.read(100)).rejects.toMatchObject({ code: '22012' })
    })
    await expectUsable(run)
  })

  it('lets other statements wait for its end', async () => {
    const { acme } = given()
    const order: string[] = []
    await run(acme, async (db) => {
      const cursor = db.query(new Cursor<Note>(ALL))
      const after = db.query<Note>(ALL).then(({ rows }) => order.push(`query ${rows.length}`))
      order.push(`cursor ${(await cursor.read(10)).length}`)
      await cursor.close()
      order.push('closed')
      await after
    })
    expect(order.slice(0, 2)).toEqual(['cursor 10', 'closed'])
    expect(order).toContain('query 250')
  })
})

describe.each(WAYS)('pg-query-stream through $name', (way) => {
  const run = <R>(lender: Lender, fn: (db: Db) => Promise<R>): Promise<R> =>
    way.run(given(), lender, fn)

  it('streams to the end', async () => {
    const { acme } = given()
    const rows = await run(acme, (db) => db.query(new QueryStream(ALL)).toArray())
    expect(rows).toHaveLength(250)
    expect(whose(rows as Note[])).toEqual([acme.schema])
    await expectUsable(run)
  })

  it('can be destroyed early', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(new QueryStream(ALL, [], { batchSize: 10 }))
      for await (const row of stream) {
        expect(row).toEqual({ id: 1, body: acme.schema })
        break
      }
    })
    await expectUsable(run)
  })

  it('can be destroyed before a row was read', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(new QueryStream(ALL))
      stream.destroy()
      await once(stream, 'close')
    })
    await expectUsable(run)
  })

  it('fails as plain pg does, and the connection goes on', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(new QueryStream('select nothing from notes'))
      await expect(finished(stream.resume())).rejects.toMatchObject({ code: '42703' })
    })
    await expectUsable(run)
  })

  it('takes values', async () => {
    const { acme } = given()
    const rows = await run(acme, (db) =>
      db.query(new QueryStream('select id from notes where id > $1', [248])).toArray(),
    )
    expect(rows).toEqual([{ id: 249 }, { id: 250 }])
  })
})

describe('a cursor in a transaction', () => {
  it('reads while the transaction writes', async () => {
    const { router, acme } = given()
    await router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('mine')`)
        const cursor = db.query(new Cursor<Note>(`${ALL} desc`))
        expect(await cursor.read(1)).toMatchObject([{ body: 'mine' }])
        await cursor.close()
        await db.query('delete from notes where id <= 250')
      },
      { transaction: true },
    )
    expect(await bodies(database, acme.schema)).toEqual(['mine'])
  })

  it('can be the first statement', async () => {
    const { router, acme } = given()
    await router.withTenant(
      acme.slug,
      async (db) => {
        const cursor = db.query(new Cursor<Note>(ALL))
        expect(whose(await cursor.read(5))).toEqual([acme.schema])
        await cursor.close()
        await db.query('delete from notes where id > 1')
      },
      { transaction: true },
    )
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
  })

  it('can be SQL’s own', async () => {
    const { router, acme } = given()
    const rows = await router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`declare own cursor for ${ALL}`)
        const first = await db.query<Note>('fetch 2 from own')
        const second = await db.query<Note>('fetch 2 from own')
        return [...first.rows, ...second.rows]
      },
      { transaction: true },
    )
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(whose(rows)).toEqual([acme.schema])
  })
})

describe('a cursor that is left open at the end of its scope', () => {
  it('costs the client, and nobody reads on', async () => {
    const { router, acme, pool } = given()
    const [lost] = await Promise.all([
      once(pool, 'remove'),
      router.withTenant(acme.slug, async (db) => {
        const cursor = db.query(new Cursor<Note>(ALL))
        await cursor.read(10)
      }),
    ])
    expect(lost).toHaveLength(1)
    await expectUsable((lender, fn) => router.withTenant(lender.slug, fn))
  })

  it('fails the statements that wait behind it', async () => {
    const { router, acme } = given()
    const waiting = await router.withTenant(acme.slug, async (db) => {
      const cursor = db.query(new Cursor<Note>(ALL))
      await cursor.read(10)
      return { answer: db.query(ALL).catch((error: unknown) => error) }
    })
    expect(await waiting.answer).toBeInstanceOf(Error)
  })

  it('can be a stream', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => {
      const stream = db.query(new QueryStream(ALL, [], { batchSize: 2 }))
      stream.on('error', () => {})
      await once(stream, 'readable')
    })
    await expectUsable((lender, fn) => router.withTenant(lender.slug, fn))
  })
})
