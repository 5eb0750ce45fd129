import { openPool, openServer } from '../server.js'
import { fleetMigrations, makeMigratedFleet } from './fleet.js'
import { migrationFolder } from './folder.js'
import { benchNoOp } from './no-op.js'
import { benchColumn } from './one-column.js'
import { benchProvisioning } from './provisioning.js'

/**
 * What migrations cost, against the bare statements: `npx tsx bench/migrate/run.ts`.
 *
 * `TENANTRY_BENCH_TENANTS` (default 1000), `TENANTRY_BENCH_ROUNDS` (default 3 for columns and 7
 * for new tenants) and `TENANTRY_BENCH_URL` change it. Exits with 1 if a target is missed.
 */
const TENANTS = Number(process.env['TENANTRY_BENCH_TENANTS'] ?? 1_000)
const ROUNDS = process.env['TENANTRY_BENCH_ROUNDS']

async function run(): Promise<void> {
  await using server = await openServer()
  await using folder = await migrationFolder(fleetMigrations)
  const admin = openPool(server.url, 1)
  await makeMigratedFleet(admin, folder.path, TENANTS)
  await admin.end()
  console.log(
    `${server.description}; ${TENANTS} tenants with ${fleetMigrations.length} migrations each\n`,
  )
  const missed = [
    ...(await benchNoOp(server.url, folder.path, TENANTS)),
    ...(await benchColumn(server.url, folder, Number(ROUNDS ?? 3))),
    ...(await benchProvisioning(server.url, Number(ROUNDS ?? 7))),
  ]
  for (const target of missed) console.error(`Target missed: ${target}`)
  if (missed.length > 0) process.exitCode = 1
}

await run()
