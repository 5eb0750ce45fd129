import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { SchemaRouter } from 'tenantry'
import { builtPackage } from '../built-package.js'
import { median, table, times } from '../measure.js'
import { timed } from '../migrate/clock.js'
import { migrationFolder } from '../migrate/folder.js'
import { openPool, openServer } from '../server.js'
import { openCopy } from './copy.js'
import { clientPrograms } from './programs.js'
import { filling, STRUCTURE } from './tenant.js'

/**
 * A tenant of 1 GB into an archive and into another database, against `pg_dump` and `pg_restore`:
 * `TENANTRY_BENCH_URL=postgres://… npx tsx bench/backup/run.ts`, on a server for which the installed
 * `pg_dump` is new enough.
 *
 * `TENANTRY_BENCH_ROUNDS` (default 3) and `TENANTRY_BENCH_MB` (default 1024) change it. Exits with 1
 * if a target is missed.
 */
const ROUNDS = Number(process.env['TENANTRY_BENCH_ROUNDS'] ?? 3)
const MEGABYTES = Number(process.env['TENANTRY_BENCH_MB'] ?? 1024)
const MAX_RATIO = 1.3
const SLUG = 'acme'
const SCHEMA = 'tenant_acme'

/** The same work by the programs of PostgreSQL and by the package, in milliseconds. */
interface Pair {
  readonly programs: number
  readonly tenantry: number
}

/** What is measured, by its name in the report. */
type Rounds = Map<string, Pair[]>

async function run(): Promise<void> {
  await using server = await openServer()
  await using copy = await openCopy(server.url)
  await using folder = await migrationFolder(STRUCTURE)
  const { SchemaRouter, select } = await builtPackage()
  const schemas = { tenants: { migrations: folder.path } }
  const pools = [openPool(server.url, 4), openPool(copy.url, 4)] as const
  const [from, to] = pools.map((pool) => new SchemaRouter({ pool, schemas }))
  if (from === undefined || to === undefined) throw new Error('There are two pools.')
  for (const router of [from, to]) await router.migrations.up({ select: select.shared() })
  await from.tenants.create({ slug: SLUG })
  for (const text of filling(SCHEMA, MEGABYTES)) await pools[0].query(text)
  const bytes = await sizeOf(pools[0])

  const rounds: Rounds = new Map()
  for (let round = 0; round < ROUNDS; round += 1) {
    await playRound({ from, to, urls: [server.url, copy.url], folder: copy.folder, rounds })
  }
  await Promise.all(pools.map((pool) => pool.end()))
  report(`${server.description}; ${Math.round(bytes / 1024 / 1024)} MB with indexes`, rounds)
}

interface Round {
  readonly from: SchemaRouter
  readonly to: SchemaRouter
  readonly urls: readonly [string, string]
  readonly folder: string
  readonly rounds: Rounds
}

async function playRound({ from, to, urls, folder, rounds }: Round): Promise<void> {
  const { dump, load, pipe, drop } = clientPrograms({ urls, schema: SCHEMA })
  const dumped = join(folder, 'acme.dump')
  const archive = join(folder, 'acme.tenantry.gz')
  const goneAgain = async (): Promise<void> => {
    await to.tenants.delete(SLUG)
    await to.tenants.purge(SLUG, { confirm: SLUG })
  }
  note(rounds, 'into a file', {
    programs: await timed(() => dump(dumped)),
    tenantry: await timed(() => from.tenants.backup(SLUG, archive)),
  })
  const loaded = await timed(() => load(dumped))
  await drop()
  note(rounds, 'out of the file', {
    programs: loaded,
    tenantry: await timed(() => to.tenants.restore(archive)),
  })
  await goneAgain()
  const piped = await timed(pipe)
  await drop()
  note(rounds, 'from one database into the other', {
    programs: piped,
    tenantry: await timed(() => piping(from, to)),
  })
  await goneAgain()
}

async function piping(from: SchemaRouter, to: SchemaRouter): Promise<void> {
  const archive = new PassThrough()
  await Promise.all([from.tenants.backup(SLUG, archive), to.tenants.restore(archive)])
}

function note(rounds: Rounds, name: string, pair: Pair): void {
  rounds.set(name, [...(rounds.get(name) ?? []), pair])
}

async function sizeOf(pool: ReturnType<typeof openPool>): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(oid))::text as bytes from pg_class
     where relnamespace = $1::regnamespace and relkind = 'r'`,
    [SCHEMA],
  )
  return Number(rows[0]?.bytes)
}

function report(head: string, rounds: Rounds): void {
  const seconds = (values: readonly number[]): string => `${(median(values) / 1000).toFixed(1)} s`
  const lines = [...rounds].map(([name, pairs]) => ({
    name,
    ratio: median(pairs.map(({ tenantry, programs }) => tenantry / programs)),
    cells: [
      seconds(pairs.map(({ programs }) => programs)),
      seconds(pairs.map(({ tenantry }) => tenantry)),
    ],
  }))
  const rows = lines.map(({ name, ratio, cells }) => [name, ...cells, times(ratio)])
  const peak = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(`${head}\n\n${table(['', 'pg_dump, pg_restore', 'tenantry', ''], rows)}\n`)
  console.log(`Medians of ${ROUNDS} rounds. The process had ${peak} MB of memory at most.\n`)
  for (const { name, ratio } of lines) {
    if (ratio > MAX_RATIO) miss(`${name}: ${times(ratio)} of ${times(MAX_RATIO)}`)
  }
}

function miss(target: string): void {
  console.error(`Target missed: ${target}`)
  process.exitCode = 1
}

await run()
