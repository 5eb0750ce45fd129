import type { PoolClient } from 'pg'
import { memoryOf } from '../../postgres/session/client-memory.js'
import { BEGIN, type Database } from '../../postgres/database.js'
import { SQL_STATE, isTransient, sqlStateOf } from '../../postgres/sql-state.js'
import { STEP_COLUMN, batchOf, placeAtEnd, placeOf } from './batch.js'
import { CHECK_DEFERRED, RESTORE_PATH, aloneKey, schemaKey, settingsText } from './enter.js'
import { migrationFailed, positionOf } from '../failure.js'
import { commentText } from '../fingerprint.js'
import { OUTSIDE, glanceOrFailText } from '../guard/glance.js'
import { NOTED, ledgerDigest, ledgerInsert } from '../ledger.js'
import { isLesson, learnFrom } from '../transaction/own-transactions.js'
import { runText } from './run-text.js'
import { type SimplePlan, lookClosely, simplePlan } from './simple-plan.js'
import type { Step } from '../step.js'
import type { UnitTarget } from './unit-target.js'
import { isError } from '../../support/is-error.js'

/** Begin the errors by which a text says that it is not for it to go on. */
const BUSY = 'tenantry_busy'
const STALE = 'tenantry_stale'
const SAYS_SO = new RegExp(`\\b(${BUSY}|${STALE}|${OUTSIDE})\\b`)

/**
 * Brings a schema to its newest version in one round trip, where nothing is special about it: one
 * text has everything from BEGIN to COMMIT, and the server itself stops at what would need a closer
 * look, such as a ledger that has changed since it was read.
 *
 * @returns `undefined` when a closer look is needed; then nothing was changed.
 * @throws `MIGRATION_FAILED`
 */
export async function migrateInOneTrip(
  db: Database,
  target: UnitTarget,
): Promise<readonly Step[] | undefined> {
  const plan = simplePlan(target)
  if (plan === undefined) return undefined
  return db
    .lend((client) => sendAll(client, target, plan))
    .catch((error: unknown) => {
      if (error === CLOSER_LOOK) return undefined
      throw error
    })
}

/** Thrown so that the client is rolled back. */
const CLOSER_LOOK = new Error('This schema needs a closer look.')

async function sendAll(
  client: PoolClient,
  target: UnitTarget,
  { steps, migrations, digest, fingerprint }: SimplePlan,
): Promise<readonly Step[]> {
  const { schema, path, guard } = target
  const batch = batchOf(migrations, path, headOf(target, digest))
  const end = [
    ledgerInsert(schema, migrations),
    commentText(schema, fingerprint),
    CHECK_DEFERRED,
    guard === undefined ? '' : glanceOrFailText(schema),
    `${RESTORE_PATH} commit`,
  ].join('\n')
  const memory = memoryOf(client)
  for (const { sql } of migrations) memory.noteScript(sql)
  let step: number | undefined
  let atEnd = false
  try {
    await runText(client, batch.text + end, (row) => {
      if (STEP_COLUMN in row) step = Number(row[STEP_COLUMN])
      if (NOTED in row) atEnd = true
    })
  } catch (error) {
    if (needsCloserLook(error, step)) {
      if (step !== undefined) lookClosely(target)
      throw CLOSER_LOOK
    }
    if (step === undefined) throw error
    const place = atEnd ? placeAtEnd(migrations, error) : placeOf(batch, positionOf(error), step)
    learnFrom(error, place?.migration)
    if (isLesson(error)) lookClosely(target)
    throw migrationFailed(schema, error, { place, atEnd })
  }
  return steps
}

/** Before the first migration has begun, and where the ledger is not ours to comment on. */
function needsCloserLook(error: unknown, step: number | undefined): boolean {
  if (step === undefined) return !isTransient(error)
  const state = sqlStateOf(error)
  if (state === SQL_STATE.insufficientPrivilege) return true
  return state === SQL_STATE.invalidText && isError(error) && SAYS_SO.test(error.message)
}

/** The lock comes before the look at the ledger: what it has waited for must be seen. */
function headOf(target: UnitTarget, digest: string): string {
  const { schema } = target
  return [
    BEGIN,
    settingsText(target),
    `select pg_advisory_xact_lock(${schemaKey(schema)}),
      case when pg_try_advisory_xact_lock(${aloneKey(schema)}) then '1' else '${BUSY}' end::int`,
    `select case when ${ledgerDigest(schema)} = '${digest}' then '1' else '${STALE}' end::int`,
    '',
  ].join(';\n')
}
