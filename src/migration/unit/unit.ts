import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { BEGIN, type Database } from '../../postgres/database.js'
import { sqlStateOf } from '../../postgres/sql-state.js'
import { runAlone } from './alone.js'
import { enter } from './enter.js'
import type { LedgerRow } from '../ledger.js'
import { NOTE_HELD } from '../guard/guard.js'
import { forNewSchema } from '../transaction/no-transaction.js'
import { migrateInOneTrip } from './one-trip.js'
import { isLesson } from '../transaction/own-transactions.js'
import { type StepsAt, runSteps } from './segment.js'
import { type Atomicity, type Goal, type Step, firstSegment, stepsTo } from '../step.js'
import type { UnitProgress, UnitTarget } from './unit-target.js'
import { isError } from '../../support/is-error.js'

/** What one transaction came to. */
type Turn =
  | { readonly kind: 'ran'; readonly steps: readonly Step[]; readonly more: boolean }
  | { readonly kind: 'alone'; readonly step: Step }
  | { readonly kind: 'busy' }

const NOTHING: Turn = { kind: 'ran', steps: [], more: false }
const BUSY_WAIT_MS = 100
const NEEDS_COMMIT = '55P04'
const UP: Goal = { kind: 'up' }

/**
 * Brings one schema to its goal in one transaction: it is on its new version afterwards, or exactly
 * as it was before. Where one transaction is impossible, or not wanted, it is a row of them.
 *
 * @param progress Is told of each commit, so that it is known what stays if a later one fails.
 */
export async function migrateSchema(
  db: Database,
  target: UnitTarget,
  progress: UnitProgress,
): Promise<void> {
  const steps = await migrateInOneTrip(db, target).catch((error: unknown) => {
    if (!wantsCommit(error) && !wantsItsOwn(error)) throw error
    return undefined
  })
  if (steps === undefined) await migrateByTurns(db, target, progress)
  else note(progress, steps)
}

async function migrateByTurns(
  db: Database,
  target: UnitTarget,
  progress: UnitProgress,
): Promise<void> {
  let { atomicity = 'schema' } = target
  const commitMore = (error: unknown): void => {
    if (wantsItsOwn(error)) return
    if (atomicity === 'migration' || !wantsCommit(error)) throw error
    atomicity = 'migration'
  }
  for (;;) {
    const told = { ...target, kept: progress.steps.map(({ migration }) => migration.fileName) }
    const way = { atomicity, begun: progress.begun }
    const turn = await db.lend((client) => runTurn(client, told, way)).catch(commitMore)
    if (turn === undefined) continue
    if (turn.kind === 'busy') {
      await delay(BUSY_WAIT_MS, undefined, signalOf(target))
      continue
    }
    progress.begun = true
    if (turn.kind === 'ran') {
      note(progress, turn.steps)
      if (!turn.more) return
      continue
    }
    progress.split = true
    if (!(await runAlone(db, told, turn.step))) continue
    progress.alone.push(turn.step)
    note(progress, [turn.step])
  }
}

function note(progress: UnitProgress, steps: readonly Step[]): void {
  const real = steps.filter(({ migration }) => migration.id > 0)
  if (real.length > 0 && progress.steps.length > 0) progress.split = true
  progress.steps.push(...real)
}

function signalOf({ signal }: UnitTarget): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}

/** A value that was added to a type can be used only once it is committed. */
function wantsCommit(error: unknown): boolean {
  return isError(error) && sqlStateOf(error.cause) === NEEDS_COMMIT
}

/** What was learnt from the failure has the next turn run that file outside of a transaction. */
function wantsItsOwn(error: unknown): boolean {
  return isError(error) && isLesson(error.cause)
}

/**
 * Applies everything inside a transaction that the caller has opened and will end, to a schema that
 * nobody else has seen yet.
 */
export async function applyPending(client: PoolClient, target: UnitTarget): Promise<void> {
  const migrations = target.migrations.map(forNewSchema)
  const { applied } = await enter(client, target)
  if (migrations.length === 0) return
  const steps = stepsTo(UP, target.schema, { migrations, applied })
  if (steps.length === 0) return
  await runBefore(client, target)
  await runSteps(client, target, { steps, applied })
  await target.hooks?.after(client)
}

interface Way {
  readonly atomicity: Atomicity
  readonly begun: boolean
}

/** One transaction: begun together with entering the schema. */
async function runTurn(client: PoolClient, target: UnitTarget, way: Way): Promise<Turn> {
  const { isFree, applied } = await enter(client, target, BEGIN)
  const turn: Turn = isFree
    ? await runSegment(client, target, { ...way, applied })
    : { kind: 'busy' }
  await client.query('commit')
  return turn
}

async function runSegment(
  client: PoolClient,
  target: UnitTarget,
  { atomicity, begun, applied }: Way & { readonly applied: readonly LedgerRow[] },
): Promise<Turn> {
  const { schema, migrations, goal = UP, hooks, kept } = target
  if (migrations.length === 0) return NOTHING
  const all = stepsTo(goal, schema, { migrations, applied })
  const segment = firstSegment(all, atomicity)
  if (segment === undefined) {
    // What came last could not be in a transaction, or another runner was faster.
    if (begun) await hooks?.after(client, kept)
    return NOTHING
  }
  if (!begun) await runBefore(client, target)
  const { steps, alone } = segment
  const [first] = steps
  if (alone && first !== undefined) return { kind: 'alone', step: first }
  return runTogether(client, target, { steps, applied, more: steps.length < all.length })
}

async function runTogether(
  client: PoolClient,
  target: UnitTarget,
  { steps, applied, more }: StepsAt & { readonly more: boolean },
): Promise<Turn> {
  await runSteps(client, target, { steps, applied })
  if (!more) await target.hooks?.after(client, target.kept)
  return { kind: 'ran', steps, more }
}

/** What the hook locks outside of the schema is not the migrations' doing. */
async function runBefore(client: PoolClient, { hooks, kept, guard }: UnitTarget): Promise<void> {
  if (hooks === undefined) return
  await hooks.before(client, kept)
  if (guard !== undefined) await client.query(NOTE_HELD)
}
