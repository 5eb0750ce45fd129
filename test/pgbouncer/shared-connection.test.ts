import type { Pool } from 'pg'
import { SchemaRouter, type ScopeConfig } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { ACTS, type Need } from '../isolation/acts.js'
import {
  type Place,
  makeFleet,
  misplacedRows,
  reportsPath,
  strayTables,
} from '../isolation/fleet.js'
import { type Stage, playStorm } from '../isolation/storm.js'
import { Witness } from '../isolation/witness.js'
import { useDatabase } from '../support/database.js'
import { type PgBouncerOptions, findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'

const SEED = Number(process.env['TENANTRY_STORM_SEED'] ?? Date.now() % 1_000_000)
const SECONDS = 20
const SCOPES = 1_500
const FEWEST_SCOPES = 300

const program = await findPgBouncer()
const database = useDatabase()
let places: Place[] = []

beforeAll(async () => {
  if (program !== undefined) places = await makeFleet(database.admin, 40, 4)
})

function stageOf(name: string, pool: Pool, lacks: readonly Need[], scope: ScopeConfig): Stage {
  pool.on('error', () => {})
  const schemas = { tenants: { prefix: 'tenant_', searchPath: ['public'] } }
  const router = new SchemaRouter({ pool, schemas, scope })
  const acts = ACTS.filter(({ needs }) => !needs.some((need) => lacks.includes(need)))
  return { name, pool, router, acts, concurrency: 4 }
}

/** Two services, each with a router and a pool of its own, behind one PgBouncer. */
async function playBehind(
  options: Omit<PgBouncerOptions, 'url'>,
  missing: readonly Need[],
  scope: ScopeConfig = {},
): Promise<Record<string, readonly unknown[]>> {
  await using pooler = await startPgBouncer({ ...options, url: database.url })
  const lacks: readonly Need[] = [
    ...missing,
    ...((await reportsPath(database.admin)) ? [] : (['reports'] as const)),
    // 1.18 may end itself at a cancel request: https://github.com/pgbouncer/pgbouncer/issues/801
    ...(options.program.atLeast(24) ? [] : (['cancel'] as const)),
  ]
  const stages = ['one', 'two'].map((name) => {
    const pool = database.pool({ connectionString: pooler.url, max: 4 })
    return stageOf(`service ${name}`, pool, lacks, scope)
  })
  const witness = new Witness()
  const { admin } = database
  const size = { scopes: SCOPES, fewest: FEWEST_SCOPES, seconds: SECONDS }
  const played = await playStorm({ stages, places, admin, witness, seed: SEED, ...size })
  console.log(`Storm behind PgBouncer: ${played} scopes, ${witness.rowsSeen} rows, seed ${SEED}`)
  await Promise.all(stages.map(({ pool }) => pool.end()))
  return {
    foreign: witness.foreign,
    misplaced: await misplacedRows(admin),
    stray: await strayTables(admin),
    surprises: witness.summary(),
  }
}

const nothing = { foreign: [], misplaced: [], stray: [], surprises: [] }

describe.skipIf(program === undefined)('two routers behind PgBouncer', { timeout: 90_000 }, () => {
  if (program === undefined) return
  const mode = 'transaction'

  it('never mix their tenants on one server connection', async () => {
    expect(await playBehind({ program, mode, size: 1 }, ['session', 'names'])).toEqual(nothing)
  })

  it('never mix their tenants on five server connections', async () => {
    expect(await playBehind({ program, mode, size: 5 }, ['session', 'names'])).toEqual(nothing)
  })

  it.skipIf(!program.atLeast(20))(
    'never mix their tenants when PgBouncer tracks the search_path',
    async () => {
      const settings = { track_extra_parameters: 'search_path' }
      const pooler = { program, mode, size: 2, settings } as const
      expect(await playBehind(pooler, ['session', 'names'])).toEqual(nothing)
    },
  )

  it.skipIf(!program.atLeast(21))('never mix their named statements, from 1.21 on', async () => {
    const settings = { max_prepared_statements: '100' }
    const pooler = { program, mode, size: 2, settings } as const
    const { surprises, ...seen } = await playBehind(pooler, ['session'], { prepare: true })
    expect(seen).toEqual({ foreign: [], misplaced: [], stray: [] })
    // PgBouncer refuses a name that it has seen before, and shares one plan among equal texts.
    const known = /08P01 prepared statement name|0A000 cached plan|not queryable|terminated/
    expect(surprises?.filter((surprise) => !known.test(String(surprise)))).toEqual([])
  })

  it('never mix their tenants in session mode', async () => {
    const pooler = { program, mode: 'session', size: 20 } as const
    expect(await playBehind(pooler, [], { prepare: true, pooler: 'session' })).toEqual(nothing)
  })
})
