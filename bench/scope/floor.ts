import pg, { type Pool, type PoolClient, type QueryResult } from 'pg'
import { builtPackage } from '../built-package.js'
import { makeFleet, rowOf, slugOf } from '../fleet.js'
import { type Candidate, measure, microseconds, table, times } from '../measure.js'
import { backendsOf, openPool, openServer } from '../server.js'
import { bindMessage, executeMessage } from '../../src/postgres/statement/wire-message.js'

/**
 * What a prelude costs at the least: the bare batch on pg, without a router, a registry or a lease,
 * beside the package: `npx tsx bench/scope/floor.ts`.
 */
const TENANTS = 50
const ROUNDS = 30

/** From a path alone to one that is proved, and cannot be dropped meanwhile. */
const PRELUDES = {
  'path only': `select set_config('search_path', $1, true), $2::text`,
  'path and a look at the schema': `select set_config('search_path', $1, true), $2::regnamespace`,
  'path and a lock on the schema': `select set_config('search_path', $1, true),
    pg_get_object_address('schema', array[$2], '{}')`,
} as const

type Messages = { stream: { cork(): void; uncork(): void; write(bytes: Buffer): void } }
type Done = (error: Error | null, result: QueryResult) => void

/** pg's own query with a prepared prelude in front, whose answer it passes over. */
class BareQuery extends (pg.Query as unknown as new (
  text: string,
  values: readonly unknown[],
  done: Done,
) => {
  submit(connection: Messages): unknown
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Messages): void
}) {
  #ahead = true
  readonly #prelude: Buffer

  constructor(prelude: Buffer, values: readonly unknown[], done: Done) {
    super('select * from loans_1 where id = $1', values, done)
    this.#prelude = prelude
  }

  override submit(connection: Messages): unknown {
    connection.stream.cork()
    connection.stream.write(this.#prelude)
    const refused = super.submit(connection)
    connection.stream.uncork()
    return refused
  }

  override handleDataRow(message: unknown): void {
    if (!this.#ahead) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Messages): void {
    if (this.#ahead) this.#ahead = false
    else super.handleCommandComplete(message, connection)
  }
}

function bare(pool: Pool, name: string): Candidate {
  const preludes = Array.from({ length: TENANTS }, (_, turn) => {
    const schema = `tenant_${slugOf(turn)}`
    return Buffer.concat([bindMessage(name, [`"${schema}", pg_temp`, schema]), executeMessage()])
  })
  const run = (client: PoolClient, turn: number): Promise<QueryResult> =>
    new Promise((resolve, reject) => {
      const prelude = preludes[turn % TENANTS] ?? Buffer.alloc(0)
      const done: Done = (error, result) => (error ? reject(error) : resolve(result))
      Reflect.apply(client.query, client, [new BareQuery(prelude, [rowOf(turn)], done)])
    })
  return {
    name: `bare batch: ${name}`,
    async run(turn) {
      const client = await pool.connect()
      try {
        return await run(client, turn)
      } finally {
        client.release()
      }
    },
  }
}

await using server = await openServer()
const pool = openPool(server.url, 1)
await makeFleet(pool, { tenants: TENANTS, tables: 3 })
const { SchemaRouter } = await builtPackage()
const router = new SchemaRouter({ pool })
const backends = backendsOf(pool)
const values = [`"tenant_${slugOf(0)}"`, `tenant_${slugOf(0)}`]
for (const [name, text] of Object.entries(PRELUDES)) await pool.query({ name, text, values })
const candidates: readonly Candidate[] = [
  {
    name: 'unscoped `pool.query`, qualified table',
    run: (turn) =>
      pool.query(`select * from tenant_${slugOf(turn % TENANTS)}.loans_1 where id = $1`, [
        rowOf(turn),
      ]),
  },
  ...Object.keys(PRELUDES).map((name) => bare(pool, name)),
  {
    name: '`router.poolFor(tenant).query`',
    run: (turn) =>
      router
        .poolFor(slugOf(turn % TENANTS))
        .query('select * from loans_1 where id = $1', [rowOf(turn)]),
  },
]
const costs = await measure(candidates, {
  rounds: ROUNDS,
  operations: 500,
  concurrency: 1,
  backends,
})
console.log(`${server.description}; one client, ${TENANTS} tenants in turn, ${ROUNDS} rounds\n`)
const rows = costs.map(({ name, latency, ratio }) => [
  name,
  microseconds(latency),
  times(ratio.latency),
  times(ratio.cpu),
])
console.log(table(['', 'latency', '', 'CPU'], rows))
await pool.end()
