import { Client, type PoolConfig } from 'pg'
import { SchemaRouter, type ScopedClient } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Place, makeFleet, misplacedRows } from './fleet.js'
import { type Random, randomOf } from './random.js'
import { READ, WRITE } from './scene.js'
import { type Row, codeOf } from './witness.js'
import { WirelessClient } from './wireless-client.js'

const SEED = Number(process.env['TENANTRY_STORM_SEED'] ?? Date.now() % 1_000_000)
const SEQUENCES = 400
const LONGEST = 14

/** Forms of transaction control that a user may send, in any order and at any time. */
const FORMS: readonly string[] = [
  'begin',
  'BEGIN WORK',
  'begin isolation level serializable',
  'start transaction read write',
  '-- first\nbegin',
  '/* a /* nested */ comment */ begin;',
  ';;begin',
  'begin; select 1',
  'begin; savepoint a',
  'begin; commit; begin',
  'commit',
  'COMMIT TRANSACTION;',
  'end',
  'commit and chain',
  'commit work and chain',
  'end and chain',
  'commit /* and */ and/**/chain',
  'commit and no chain',
  'rollback',
  'abort',
  'rollback and chain',
  'abort and chain',
  'rollback; begin',
  'select 1; commit',
  'select 1; rollback and chain',
  'savepoint a',
  'savepoint b',
  'SAVEPOINT "A"',
  'rollback to a',
  'rollback to savepoint b',
  'rollback transaction to savepoint a',
  'ROLLBACK WORK TO "A"',
  'release a',
  'release savepoint b',
  'rollback to a; select 1',
  'savepoint a; select 1',
  'set transaction read write',
  'set local statement_timeout to 0',
  'select 1 / 0',
  'select nothing',
]

const database = useDatabase()
let place: Place

beforeAll(async () => {
  const [one] = await makeFleet(database.admin, 1, 0)
  if (one === undefined) throw new Error('A tenant was asked for.')
  place = one
})

/** Sends a sequence of forms, each followed by a read or a write; what is read is returned. */
async function play(db: ScopedClient, random: Random, said: string[]): Promise<Row[]> {
  const seen: Row[] = []
  const length = 2 + random.below(LONGEST)
  for (let step = 0; step < length; step += 1) {
    const form = random.pick(FORMS)
    said.push(form)
    // A form that does not fit fails; what counts is where the next statement ends up.
    await db.query(form).catch(() => {})
    if (random.percent(20)) continue
    const write = random.percent(30)
    const values = write ? [place.schema] : []
    try {
      seen.push(...(await db.query<Row>(write ? WRITE : READ, values)).rows)
    } catch (error) {
      if (codeOf(error) !== '25P02') throw error
    }
  }
  return seen
}

const clients: readonly (readonly [string, PoolConfig['Client'], boolean])[] = [
  ['one after the other', Client, false],
  ['with prepared statements', Client, true],
  ['without the wire protocol', WirelessClient, false],
]

describe.each(clients)('any sequence of transaction control, %s', (_, PgClient, prepare) => {
  it('keeps every statement in its schema', { timeout: 60_000 }, async () => {
    const pool = database.pool({ max: 1, Client: PgClient })
    const schemas = { tenants: { prefix: 'tenant_', searchPath: ['public'] } }
    const router = new SchemaRouter({ pool, schemas, scope: { prepare } })
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
      const said: string[] = []
      const random = randomOf(SEED * 1_000 + sequence)
      let seen: Row[] = []
      await router
        .withTenant(place.slug, async (db) => {
          seen = await play(db, random, said)
        })
        .catch((error: unknown) => {
          if (codeOf(error) !== 'TRANSACTION_LEFT_OPEN') throw error
        })
      const foreign = seen.filter(({ home }) => home !== place.schema)
      expect({ seed: SEED, said, foreign }).toEqual({ seed: SEED, said, foreign: [] })
    }
    expect(await misplacedRows(database.admin)).toEqual([])
  })
})
