import { type Server, type Socket, connect, createServer } from 'node:net'
import { once } from 'node:events'
import { escapeIdentifier } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type Lender, bodies, fleet } from '../support/lenders.js'

/** What went over a connection. */
interface Traffic {
  /** How often the server said that it is ready for the next query. */
  readonly ready: number
  /** How often the client wrote for the first time, or after it had received a reply. */
  readonly turns: number
}

const READY_FOR_QUERY = 'Z'.charCodeAt(0)
const HEADER_BYTES = 5

/** Stands between pool and server, and counts what they say to each other. */
class CountingProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #ready = 0
  #turns = 0

  constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((client) => this.#serve(client))
  }

  /** Listens, and tells the URL that leads through it. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('No port was given.')
    const url = new URL(this.#target)
    url.hostname = '127.0.0.1'
    url.port = String(address.port)
    return url.href
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Counts what is said while `fn` runs. */
  async during(fn: () => Promise<unknown>): Promise<Traffic> {
    this.#ready = 0
    this.#turns = 0
    await fn()
    return { ready: this.#ready, turns: this.#turns }
  }

  #serve(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname)
    let answered = true
    let rest: Buffer = Buffer.alloc(0)
    client.on('data', (bytes) => {
      if (answered) this.#turns += 1
      answered = false
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      answered = true
      rest = this.#read(Buffer.concat([rest, bytes]))
      client.write(bytes)
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay()
      from.on('error', () => {})
      from.on('end', () => to.end())
      from.on('close', () => this.#sockets.delete(from))
    }
  }

  /** Counts whole messages, and hands back what is left of the last one. */
  #read(bytes: Buffer): Buffer {
    let at = 0
    while (at + HEADER_BYTES <= bytes.length) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > bytes.length) break
      if (bytes[at] === READY_FOR_QUERY) this.#ready += 1
      at = end
    }
    return bytes.subarray(at)
  }
}

const database = useDatabase()
let proxy: CountingProxy
let proxied: string

beforeAll(async () => {
  proxy = new CountingProxy(database.url)
  proxied = await proxy.open()
})

afterAll(() => proxy.close())

/** A fleet behind the proxy, with one connection that is open, and tenants that are looked up. */
async function connected(prepare = false): Promise<Fleet> {
  const made = await fleet(database, {
    pool: { max: 1, connectionString: proxied },
    scope: { prepare },
  })
  for (const { slug } of made.lenders) await made.router.tenants.get(slug)
  return made
}

async function trips({ pool }: Fleet, fn: () => Promise<unknown>): Promise<Traffic> {
  const traffic = await proxy.during(fn)
  expect(pool.idleCount, 'the client is back').toBe(pool.totalCount)
  return traffic
}

function roundTrips(count: number): Traffic {
  return { ready: count, turns: count }
}

type Ask = (fleet: Fleet, lender: Lender) => Promise<unknown>

const SINGLE: Readonly<Record<string, Ask>> = {
  'a text': ({ router }) => router.pool.query('select body from notes'),
  'a text with values': ({ router }) =>
    router.pool.query('select body from notes where id = $1', [1]),
  'a text with no rows': ({ router }) => router.pool.query('select body from notes where false'),
  'an insert': ({ router }) => router.pool.query(`insert into notes (body) values ('b')`),
  'an insert with values': ({ router }) =>
    router.pool.query('insert into notes (body) values ($1) returning id', ['b']),
  'several statements': ({ router }) =>
    router.pool.query(`insert into notes (body) values ('b'); select body from notes; select 1`),
  'a named statement': ({ router }) =>
    router.pool.query({
      name: 'note',
      text: 'select body from notes where id = $1',
      values: [1],
    }),
  'a block of code': ({ router }) => router.pool.query('do $$ begin perform 1; end $$'),
  'an empty text': ({ router }) => router.pool.query(''),
}

describe('router.pool.query', () => {
  it.each(Object.entries(SINGLE))('takes one round trip for %s', async (_, ask) => {
    const made = await connected()
    const { router, acme } = made
    const run = (): Promise<unknown> => router.runAs(acme.slug, () => ask(made, acme))
    expect(await trips(made, run), 'on a fresh connection').toEqual(roundTrips(1))
    expect(await trips(made, run), 'for the second time').toEqual(roundTrips(1))
  })

  it.each(Object.entries(SINGLE))(
    'takes one round trip for %s when statements are prepared',
    async (_, ask) => {
      const made = await connected(true)
      const { router, acme, beta } = made
      for (const { slug } of [acme, beta, acme, beta]) {
        const traffic = await trips(made, () => router.runAs(slug, () => ask(made, acme)))
        expect(traffic).toEqual(roundTrips(1))
      }
    },
  )

  it.each([
    ['one round trip', 'a text', 'select body from notes', undefined, 1],
    ['one round trip', 'a text with values', 'select $1 as id from notes', [1], 1],
    // They are one simple query, which brings no Sync for the server to go on at.
    ['two round trips', 'several statements', 'delete from notes; select 1', undefined, 2],
  ])('takes %s to refuse %s in a schema that is missing', async (...given) => {
    const [, , text, values, turns] = given
    const made = await connected()
    const { router, acme } = made
    await database.admin.query(`drop schema ${escapeIdentifier(acme.schema)} cascade`)
    const traffic = await trips(made, async () => {
      const refused = router.runAs(acme.slug, () => router.pool.query(text, values))
      await expect(refused).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    })
    expect(traffic).toEqual({ ready: 1, turns })
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it.each([
    ['a text', 'select nothing from notes', undefined],
    ['a text with values', 'select nothing from notes where id = $1', [1]],
  ])('takes one round trip for the error of %s', async (_, text, values) => {
    const made = await connected()
    const { router, acme } = made
    const traffic = await trips(made, async () => {
      const failed = router.runAs(acme.slug, () => router.pool.query(text, values))
      await expect(failed).rejects.toMatchObject({ code: '42703' })
    })
    expect(traffic).toEqual(roundTrips(1))
  })

  it('takes one round trip when the tenant changes with each statement', async () => {
    const made = await connected()
    const { router, acme, beta } = made
    const traffic = await trips(made, async () => {
      for (const { slug, schema } of [acme, beta, acme, beta]) {
        const { rows } = await router
          .poolFor(slug)
          .query('select body from notes where id = $1', [1])
        expect(rows).toEqual([{ body: schema }])
      }
    })
    expect(traffic).toEqual(roundTrips(4))
  })
})

describe('withTenant', () => {
  it('takes no round trip without a query', async () => {
    const made = await connected()
    const traffic = await trips(made, () => made.router.withTenant(made.acme.slug, () => {}))
    expect(traffic).toEqual(roundTrips(0))
  })

  it('takes one round trip for one query', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(made.acme.slug, (db) => db.query('select body from notes')),
    )
    expect(traffic).toEqual(roundTrips(1))
  })

  it('takes one round trip for each query', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(made.acme.slug, async (db) => {
        await db.query('select body from notes')
        await db.query('select body from notes where id = $1', [1])
        await db.query(`insert into notes (body) values ('b')`)
      }),
    )
    expect(traffic).toEqual(roundTrips(3))
  })

  it('takes two round trips for a transaction of one statement', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(
        made.acme.slug,
        (db) => db.query('insert into notes (body) values ($1)', ['b']),
        { transaction: true },
      ),
    )
    expect(traffic).toEqual(roundTrips(2))
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema, 'b'])
  })

  it('takes four round trips for a transaction of three statements', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(
        made.acme.slug,
        async (db) => {
          for (const body of ['b', 'c', 'd']) {
            await db.query('insert into notes (body) values ($1)', [body])
          }
        },
        { transaction: true },
      ),
    )
    expect(traffic).toEqual(roundTrips(4))
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema, 'b', 'c', 'd'])
  })

  it('takes no round trip for a transaction without a statement', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(made.acme.slug, () => {}, { transaction: true }),
    )
    expect(traffic).toEqual(roundTrips(0))
  })

  it('adds none to the BEGIN, the query and the COMMIT of the caller', async () => {
    const made = await connected()
    const traffic = await trips(made, () =>
      made.router.withTenant(made.acme.slug, async (db) => {
        await db.query('begin')
        await db.query('insert into notes (body) values ($1)', ['b'])
        await db.query('commit')
      }),
    )
    expect(traffic).toEqual(roundTrips(3))
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema, 'b'])
  })
})

describe('router.pool.connect', () => {
  it('adds no round trip to the transaction of the caller', async () => {
    const made = await connected()
    const traffic = await trips(made, async () => {
      const client = await made.router.poolFor(made.acme.slug).connect()
      await client.query('begin')
      await client.query('select body from notes')
      await client.query('commit')
      client.release()
    })
    expect(traffic).toEqual(roundTrips(3))
  })
})
