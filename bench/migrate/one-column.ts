import { Client, type Pool } from 'pg'
import { builtPackage } from '../built-package.js'
import { median, table, times } from '../measure.js'
import { openPool } from '../server.js'
import { milliseconds, timed } from './clock.js'
import { schemasOf } from './fleet.js'
import type { MigrationFolder } from './folder.js'
import { openWarmPool } from './warm-pool.js'

const CONCURRENCY = 4
const MAX_RATIO = 1.3

interface Round {
  readonly raw: number
  /** The same with a row in the schema's ledger, which no migration can do without. */
  readonly noted: number
  readonly guarded: number
  readonly unguarded: number
}

/**
 * Measures a column in every tenant against the bare statements, in turn, each with clients of its
 * own and a column of its own.
 *
 * @returns the targets that were missed.
 */
export async function benchColumn(
  url: string,
  folder: MigrationFolder,
  rounds: number,
): Promise<readonly string[]> {
  const admin = openPool(url, 1)
  const schemas = await schemasOf(admin)
  const taken: Round[] = []
  for (let round = 1; round <= rounds; round += 1) taken.push(await runRound(url, folder, round))
  await admin.end()
  const of = (pick: (round: Round) => number): number => median(taken.map(pick))
  const ratio = of(({ guarded, raw }) => guarded / raw)
  const row = (name: string, pick: (round: Round) => number): string[] => [
    name,
    milliseconds(of(pick) / schemas.length),
    times(of((round) => pick(round) / round.raw)),
  ]
  console.log(`### A column more in ${schemas.length} tenants, ${CONCURRENCY} at a time\n`)
  const rows = [
    row('bare statements', ({ raw }) => raw),
    row('bare statements, and a row in the ledger', ({ noted }) => noted),
    row('`up`', ({ guarded }) => guarded),
    row('`up`, `guard: false`', ({ unguarded }) => unguarded),
  ]
  console.log(`${table(['', 'per schema', ''], rows)}\n`)
  const each = taken.map((one) => times(one.guarded / one.raw)).join(', ')
  console.log(`Medians of ${rounds} rounds. \`up\` by round: ${each}.\n`)
  return ratio > MAX_RATIO ? [`a column more: ${times(ratio)} of ${times(MAX_RATIO)}`] : []

  async function runRound(at: string, set: MigrationFolder, round: number): Promise<Round> {
    const raw = await rawColumn(at, schemas, `raw_${round}`)
    const noted = await rawColumn(at, schemas, `noted_${round}`, note)
    await forgetNotes(at, schemas)
    await set.add(`alter table loans add column extra_${round} int;`)
    const guarded = await upColumn(at, set.path, schemas.length)
    await set.add(`alter table loans add column unguarded_${round} int;`)
    const unguarded = await upColumn(at, set.path, schemas.length, false)
    return { raw, noted, guarded, unguarded }
  }
}

const NOTE_ID = 1_000

function note(schema: string): string {
  return (
    `insert into ${schema}.migrations (id, name, hash) ` +
    `values (${NOTE_ID}, 'bare', '${'0'.repeat(40)}');`
  )
}

/** The package would not know what the rows stand for. */
async function forgetNotes(url: string, schemas: readonly string[]): Promise<void> {
  const pool = openPool(url, 1)
  for (const schema of schemas) {
    await pool.query(`delete from ${schema}.migrations where id = ${NOTE_ID}`)
  }
  await pool.end()
}

/** Clients that do nothing else. */
async function rawColumn(
  url: string,
  schemas: readonly string[],
  column: string,
  more: (schema: string) => string = () => '',
): Promise<number> {
  const clients = Array.from({ length: CONCURRENCY }, () => new Client({ connectionString: url }))
  await Promise.all(clients.map((client) => client.connect()))
  const queue = schemas.values()
  const work = async (client: Client): Promise<void> => {
    for (const schema of queue) {
      await client.query(
        `begin; set local search_path to ${schema}; ` +
          `alter table loans add column ${column} int; ${more(schema)} commit`,
      )
    }
  }
  const taken = await timed(() => Promise.all(clients.map(work)))
  await Promise.all(clients.map((client) => client.end()))
  return taken
}

async function upColumn(
  url: string,
  migrations: string,
  tenants: number,
  guard?: false,
): Promise<number> {
  const pool: Pool = await openWarmPool(url, CONCURRENCY)
  const { SchemaRouter } = await builtPackage()
  const router = new SchemaRouter({ pool, schemas: { tenants: { migrations } } })
  let done = 0
  const taken = await timed(async () => {
    const { outcomes } = await router.migrations.up({
      concurrency: CONCURRENCY,
      ...(guard === false && { guard }),
    })
    done = outcomes.filter(({ status }) => status === 'done').length
  })
  await pool.end()
  if (done !== tenants) throw new Error(`${done} of ${tenants} tenants were migrated.`)
  return taken
}
