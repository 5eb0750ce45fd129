import { EventEmitter } from 'node:events'
import { Client, type Pool } from 'pg'
import { migrate } from 'postgres-migrations'
import { builtPackage } from '../built-package.js'
import { median, table } from '../measure.js'
import { openPool } from '../server.js'
import { milliseconds, timed } from './clock.js'
import { schemasOf } from './fleet.js'

const ROUNDS = 5
/** What a loop over all schemas takes is told from so many. */
const LOOPED = 50
const MAX_QUERIES = 3

interface Seen {
  readonly ms: number
  readonly queries: number
  readonly growth: number
}

/** Measures a run with nothing to do. @returns the targets that were missed. */
export async function benchNoOp(
  url: string,
  migrations: string,
  tenants: number,
): Promise<readonly string[]> {
  const { SchemaRouter } = await builtPackage()
  const pool = openPool(url, 4)
  const queries = countQueries(pool)
  await pool.query('select 1')
  const router = new SchemaRouter({ pool, schemas: { tenants: { migrations } } })
  const up = await observe(queries, async () => {
    const { outcomes } = await router.migrations.up()
    const changed = outcomes.filter(({ status }) => status !== 'current')
    if (changed.length > 0) throw new Error(`${changed.length} schemas were not current.`)
  })
  const status = await observe(queries, () => router.migrations.status())
  const schemas = await schemasOf(pool)
  await pool.end()
  const loop = await loopOver(url, migrations, schemas.slice(0, LOOPED))
  const row = (name: string, { ms, ...seen }: Seen): string[] => [
    name,
    milliseconds(ms),
    milliseconds(ms / tenants),
    String(seen.queries),
    `${seen.growth.toFixed(1)} MB`,
  ]
  console.log(`### Nothing to do, ${tenants} tenants, medians of ${ROUNDS} runs\n`)
  const looped = ['loop', `${milliseconds(loop * tenants)}, extrapolated`, milliseconds(loop)]
  const rows = [row('`up`', up), row('`status`', status), [...looped, '–', '–']]
  console.log(`${table(['', 'all', 'per schema', 'queries', 'memory'], rows)}\n`)
  const ofLoop = (loop * tenants) / up.ms
  console.log(
    `The loop calls \`postgres-migrations\` with a client per schema; over ` +
      `${Math.min(LOOPED, schemas.length)} schemas. It takes ${ofLoop.toFixed(1)}× the time of \`up\`.\n`,
  )
  return [...missed('up', up, tenants), ...missed('status', status, tenants)]
}

/** The time of a median run, the queries of the worst, and what memory grew to at most. */
async function observe(queries: () => number, work: () => Promise<unknown>): Promise<Seen> {
  const before = process.memoryUsage.rss()
  const taken: number[] = []
  let most = 0
  let growth = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = queries()
    taken.push(await timed(work))
    most = Math.max(most, queries() - asked)
    growth = Math.max(growth, process.memoryUsage.rss() - before)
  }
  return { ms: median(taken), queries: most, growth: growth / 2 ** 20 }
}

/** The server says that it is ready once for each query, whatever made it. */
function countQueries(pool: Pool): () => number {
  let count = 0
  pool.on('connect', (client) => {
    const connection: unknown = Reflect.get(client, 'connection')
    if (!(connection instanceof EventEmitter)) throw new Error('The client has no connection.')
    connection.on('readyForQuery', () => (count += 1))
  })
  return () => count
}

/** Milliseconds per schema of the loop that people write today. */
async function loopOver(
  url: string,
  migrations: string,
  schemas: readonly string[],
): Promise<number> {
  const taken = await timed(async () => {
    for (const schema of schemas) {
      const options = `-c search_path=${schema}`
      const client = new Client({ connectionString: url, options })
      await client.connect()
      try {
        const applied = await migrate({ client }, migrations)
        if (applied.length > 0) throw new Error(`${schema} was not current.`)
      } finally {
        await client.end()
      }
    }
  })
  return taken / schemas.length
}

function missed(name: string, { ms, queries }: Seen, tenants: number): readonly string[] {
  const limit = tenants <= 1_000 ? 200 : 1_000
  const found: string[] = []
  if (queries > MAX_QUERIES) found.push(`${name} with nothing to do: ${queries} queries`)
  if (ms >= limit) found.push(`${name} with nothing to do: ${milliseconds(ms)} of ${limit} ms`)
  return found
}
