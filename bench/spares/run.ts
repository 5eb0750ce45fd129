import { builtPackage } from '../built-package.js'
import { median, table, times } from '../measure.js'
import { milliseconds, timed } from '../migrate/clock.js'
import { migrationFolder } from '../migrate/folder.js'
import { provisioningTexts } from '../migrate/provisioning.js'
import { openWarmPool } from '../migrate/warm-pool.js'
import { openServer } from '../server.js'

/**
 * What a new tenant of 40 migrations and 50 tables takes with a spare, and without one where spares
 * are wanted, against a service without: `npx tsx bench/spares/run.ts`.
 *
 * `TENANTRY_BENCH_ROUNDS` (default 15) and `TENANTRY_BENCH_URL` change it. Exits with 1 if a target
 * is missed.
 */
const ROUNDS = Number(process.env['TENANTRY_BENCH_ROUNDS'] ?? 15)
const MAX_MS = 10
const MAX_RATIO = 1.1

interface Round {
  readonly plain: number
  readonly missing: number
  readonly spare: number
}

async function run(): Promise<void> {
  await using server = await openServer()
  await using folder = await migrationFolder(provisioningTexts())
  const { SchemaRouter, select } = await builtPackage()
  const schemas = { tenants: { migrations: folder.path } }
  const pools = [await openWarmPool(server.url, 1), await openWarmPool(server.url, 1)] as const
  const plain = new SchemaRouter({ pool: pools[0], schemas })
  const keeping = new SchemaRouter({ pool: pools[1], schemas, spares: ROUNDS + 1 })
  await plain.migrations.up({ select: select.shared() })
  let number = 0
  const created = (router: typeof plain): Promise<number> =>
    timed(() => router.tenants.create({ slug: `t${(number += 1)}` }))
  await keeping.tenants.spares.fill()
  // What fills in the background would be measured with what is measured.
  await keeping.close()
  const spares: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) spares.push(await created(keeping))
  const rounds: Round[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [one, missing] = [await created(plain), await created(keeping)]
    // The first round compiles code and reads catalogs; it is not counted.
    if (round > 0) rounds.push({ plain: one, missing, spare: spares[round] ?? Number.NaN })
  }
  await Promise.all(pools.map((pool) => pool.end()))
  report(server.description, rounds)
}

function report(server: string, rounds: readonly Round[]): void {
  const ratio = (of: (round: Round) => number): number =>
    median(rounds.map((round) => of(round) / round.plain))
  const spare = median(rounds.map((round) => round.spare))
  const slower = ratio((round) => round.missing)
  const line = (name: string, of: (round: Round) => number): readonly string[] => [
    name,
    milliseconds(median(rounds.map(of))),
    times(ratio(of)),
  ]
  console.log(`${server}; 40 migrations, 50 tables with keys and indexes\n`)
  const rows = [
    line('no spares wanted', (round) => round.plain),
    line('spares wanted, none there', (round) => round.missing),
    line('with a spare', (round) => round.spare),
  ]
  console.log(`${table(['`tenants.create`', 'time', ''], rows)}\n\nMedians of ${ROUNDS} rounds.\n`)
  if (spare > MAX_MS) miss(`with a spare: ${milliseconds(spare)} of ${milliseconds(MAX_MS)}`)
  if (slower > MAX_RATIO) miss(`without one: ${times(slower)} of ${times(MAX_RATIO)}`)
}

function miss(target: string): void {
  console.error(`Target missed: ${target}`)
  process.exitCode = 1
}

await run()
