import type { Pool, PoolConfig } from 'pg'
import { SchemaRouter, type ScopeConfig } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { ACTS, type Act } from './acts.js'
import {
  type Place,
  countRows,
  makeFleet,
  misplacedRows,
  reportsPath,
  strayTables,
} from './fleet.js'
import { type Stage, playStorm } from './storm.js'
import { Witness } from './witness.js'
import { WirelessClient } from './wireless-client.js'

const TENANTS = 200
const UNSTEADY = 8
const SCOPES = 10_000
/** What a slow machine plays, too, however long it takes. */
const FEWEST_SCOPES = 2_000
/** How long a client may take to come back to its pool at the end. */
const PATIENCE_MS = 20_000
const SECONDS = Number(process.env['TENANTRY_STORM_SECONDS'] ?? 25)
const SEED = Number(process.env['TENANTRY_STORM_SEED'] ?? Date.now() % 1_000_000)

/** For looking into a failure: the names of the acts to play, with commas between them. */
const ONLY = process.env['TENANTRY_STORM_ACTS']?.split(',')
let played: readonly Act[] = []

const database = useDatabase()
let places: Place[] = []

beforeAll(async () => {
  const reports = await reportsPath(database.admin)
  played = ACTS.filter(({ name }) => ONLY === undefined || ONLY.includes(name)).filter(
    ({ needs }) => reports || !needs.includes('reports'),
  )
  places = await makeFleet(database.admin, TENANTS, UNSTEADY)
})

/** `public` answers for whatever falls through. */
function routerOf(pool: Pool, scope: ScopeConfig): SchemaRouter {
  return new SchemaRouter({
    pool,
    schemas: { tenants: { prefix: 'tenant_', searchPath: ['public'] } },
    scope,
  })
}

function stageOf(name: string, pool: PoolConfig, scope: ScopeConfig = {}): Stage {
  const max = pool.max ?? 10
  const opened = database.pool({ ...pool, max })
  opened.on('error', () => {})
  const wireless = pool.Client !== undefined
  const acts = played.filter(({ needs }) => !(wireless && needs.includes('wire')))
  return { name, pool: opened, router: routerOf(opened, scope), acts, concurrency: max + 2 }
}

/** All clients are back, or patience is over and the test says so. */
function untilWhole({ pool }: Stage): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (pool.totalCount === pool.idleCount) resolve()
    }
    // pg tells of a client before it counts it.
    pool.on('release', () => setImmediate(look)).on('remove', look)
    AbortSignal.timeout(PATIENCE_MS).addEventListener('abort', () => resolve())
    look()
  })
}

describe('10,000 scopes of 200 tenants', () => {
  it(
    'never read or write in another schema than their own',
    async () => {
      const stages = [
        stageOf('one client', { max: 1 }),
        stageOf('two clients', { max: 2 }, { maxSchemasPerClient: 40 }),
        stageOf('ten clients', { max: 10 }),
        stageOf(
          'ten clients, prepared',
          { max: 10 },
          { prepare: true, maxStatementsPerClient: 30 },
        ),
        stageOf('without the wire', { max: 2, Client: WirelessClient }),
      ]
      const witness = new Witness()
      const before = await countRows(database.admin, places)
      const began = Date.now()
      const count = await playStorm({
        stages,
        places,
        admin: database.admin,
        witness,
        seed: SEED,
        scopes: SCOPES,
        fewest: FEWEST_SCOPES,
        seconds: SECONDS,
      })
      await Promise.all(stages.map(untilWhole))
      const took = ((Date.now() - began) / 1000).toFixed(1)
      console.log(
        `Storm: ${count} scopes in ${took} s, ${witness.rowsSeen} rows read, seed ${SEED} ` +
          `(again: TENANTRY_STORM_SEED=${SEED})`,
      )
      expect({
        foreign: witness.foreign,
        misplaced: await misplacedRows(database.admin),
        stray: await strayTables(database.admin),
        surprises: witness.summary(),
      }).toEqual({ foreign: [], misplaced: [], stray: [], surprises: [] })
      expect(stages.map(({ pool }) => pool.totalCount - pool.idleCount)).toEqual([0, 0, 0, 0, 0])
      expect(stages.map(({ pool }) => pool.waitingCount)).toEqual([0, 0, 0, 0, 0])
      expect(await countRows(database.admin, places)).toBeGreaterThan(before)
      expect([...witness.acts.keys()].toSorted()).toEqual(played.map(({ name }) => name).toSorted())
    },
    (SECONDS + 120) * 1000,
  )
})
