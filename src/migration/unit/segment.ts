import type { PoolClient, QueryResultRow } from 'pg'
import { isYes } from '../../postgres/answer.js'
import { memoryOf } from '../../postgres/session/client-memory.js'
import { STEP_COLUMN, batchOf, placeAtEnd, placeOf } from './batch.js'
import { runCode } from './code.js'
import { CHECK_DEFERRED, RESTORE_PATH } from './enter.js'
import { migrationFailed, positionOf } from '../failure.js'
import { fingerprintText } from '../fingerprint.js'
import { OUTSIDE, VANISHED, glanceText } from '../guard/glance.js'
import { type Present, escaped, guardText, mayCreate } from '../guard/guard.js'
import { type Former, READ_BEFORE, REFERRED, escapesOf, openBefore } from '../guard/guard-before.js'
import { type LedgerRow, NOTED, ledgerDelete, ledgerInsert } from '../ledger.js'
import { leavesOnlyLocks } from '../guard/only-locks.js'
import { learnFrom } from '../transaction/own-transactions.js'
import { runText } from './run-text.js'
import { leavesSettings, readSettings, restoreSettings } from './settings.js'
import type { Migration } from '../source.js'
import type { Step } from '../step.js'
import type { UnitTarget } from './unit-target.js'

/** What is run in one go: SQL that goes together, or one migration that needs care around it. */
interface Piece {
  readonly migrations: readonly Migration[]
  readonly careful: boolean
  /** What is sent before the first migration. */
  readonly head?: string | undefined
}

/** Steps of a schema, and what its ledger has at that moment. */
export interface StepsAt {
  readonly steps: readonly Step[]
  readonly applied: readonly LedgerRow[]
}

/** Runs steps and notes them in the ledger, in the transaction that the caller has open. */
export async function runSteps(client: PoolClient, target: UnitTarget, at: StepsAt): Promise<void> {
  const migrations = at.steps.filter(({ runs }) => runs).map(({ migration }) => migration)
  const pieces = piecesOf(migrations)
  if (target.guard !== undefined && pieces.every(isPlain) && migrations.every(leavesOnlyLocks)) {
    if (await runPlain(client, target, { ...at, migrations })) return
  }
  await runPieces(client, target, { ...at, migrations, pieces })
}

interface Work extends StepsAt {
  readonly migrations: readonly Migration[]
}

const PLAIN = 'tenantry_plain'

/**
 * Runs migrations whose locks tell everything, and asks the guard only where they tell of something.
 *
 * @returns `false` where something has vanished after all, which was not looked at before; then all of
 * it is taken back.
 */
async function runPlain(client: PoolClient, target: UnitTarget, work: Work): Promise<boolean> {
  const { migrations, steps, applied } = work
  const sight = migrations.length === 0 ? [] : [glanceText(target.schema)]
  const noted = [ledgerText(target, steps, applied), CHECK_DEFERRED]
  const end = [...noted, ...sight, RESTORE_PATH].join('\n')
  const { glance } = await runBatch(client, target, {
    migrations,
    head: `savepoint ${PLAIN};\n`,
    end,
  })
  if (glance === VANISHED) {
    await client.query(`rollback to savepoint ${PLAIN}`)
    return false
  }
  if (glance !== undefined) await askGuard(client, target, { migrations, before: [] })
  return true
}

async function runPieces(
  client: PoolClient,
  target: UnitTarget,
  { migrations, steps, applied, pieces: all }: Work & { readonly pieces: readonly Piece[] },
): Promise<void> {
  const pieces = withHead(all, target)
  const last = pieces.at(-1)?.careful === false ? pieces.pop() : undefined
  for (const piece of pieces) await runPiece(client, target, piece)
  // Where locks do not tell everything, the guard is asked in any case.
  const isAsked = mayCreate(migrations)
  const sight = migrations.length === 0 ? [] : sightOf(target, isAsked)
  const noted = [ledgerText(target, steps, applied), CHECK_DEFERRED]
  const end = [...noted, ...sight, RESTORE_PATH].join('\n')
  const { glance, before } = await runBatch(client, target, {
    migrations: [],
    ...last,
    all: migrations,
    end,
  })
  if (isAsked || glance !== undefined || before.length > 0) {
    await askGuard(client, target, { migrations, before })
  }
}

function withHead(pieces: readonly Piece[], { schema, guard }: UnitTarget): Piece[] {
  const [first, ...others] = pieces
  if (first === undefined) return []
  return [{ ...first, head: guard && openBefore(schema, guard) }, ...others]
}

function sightOf({ schema, guard }: UnitTarget, isAsked: boolean): readonly string[] {
  if (guard === undefined) return []
  return isAsked ? [READ_BEFORE] : [glanceText(schema), READ_BEFORE]
}

function isPlain({ careful }: Piece): boolean {
  return !careful
}

interface PresentRow extends QueryResultRow, Present {}

async function askGuard(
  client: PoolClient,
  { schema, guard }: UnitTarget,
  { migrations, before }: { readonly migrations: readonly Migration[]; before: readonly Former[] },
): Promise<void> {
  if (guard === undefined) return
  const { rows } = await client.query<PresentRow>(guardText(schema, guard, migrations))
  const [first, ...more] = escapesOf(rows, before)
  if (first !== undefined) throw escaped(schema, [first, ...more], migrations)
}

/** The text that notes steps in the ledger, and what the ledger then says. */
export function ledgerText(
  { schema }: UnitTarget,
  steps: readonly Step[],
  applied: readonly LedgerRow[],
): string {
  const added = steps.filter(({ effect }) => effect === 'add').map(({ migration }) => migration)
  const removed = steps.flatMap(({ effect, migration }) =>
    effect === 'remove' ? [migration.id] : [],
  )
  const rows = [...applied.filter(({ id }) => !removed.includes(id)), ...added]
  return [
    ...(removed.length > 0 ? [ledgerDelete(schema, removed)] : []),
    ...(added.length > 0 ? [ledgerInsert(schema, added)] : []),
    fingerprintText(schema, rows),
  ].join('\n')
}

function piecesOf(migrations: readonly Migration[]): readonly Piece[] {
  const pieces: Piece[] = []
  for (const migration of migrations) {
    const careful = migration.code !== undefined || leavesSettings(migration.sql)
    const before = pieces.at(-1)
    if (careful || before === undefined || before.careful) {
      pieces.push({ migrations: [migration], careful })
    } else {
      pieces[pieces.length - 1] = { migrations: [...before.migrations, migration], careful }
    }
  }
  return pieces
}

/** After a migration that needs care, the settings and the role are those that it began with. */
async function runPiece(
  client: PoolClient,
  target: UnitTarget,
  { migrations, careful, head }: Piece,
): Promise<void> {
  if (!careful) {
    await runBatch(client, target, { migrations, head, end: '' })
    return
  }
  const [migration] = migrations
  if (migration?.code !== undefined) {
    if (head !== undefined) await client.query(head)
    await runCode(client, target, migration)
    return
  }
  const before = await readSettings(client)
  await runBatch(client, target, { migrations, head, end: '' })
  await restoreSettings(client, before, migrations.map(({ sql }) => sql).join('\n'))
}

/** A text of migrations, and what comes before and after them. */
interface BatchRun {
  readonly migrations: readonly Migration[]
  /** What has run in the whole transaction, which is checked at its end. */
  readonly all?: readonly Migration[]
  readonly head?: string | undefined
  readonly end: string
}

/** What the guard's part of a text has seen. */
interface Sight {
  /** Its row says that there is something; see {@link glanceText}. */
  readonly glance: string | undefined
  readonly before: readonly Former[]
}

async function runBatch(
  client: PoolClient,
  { schema, path, kept }: UnitTarget,
  { migrations, all = migrations, head, end }: BatchRun,
): Promise<Sight> {
  const batch = batchOf(migrations, path, head)
  const memory = memoryOf(client)
  for (const { sql } of migrations) memory.noteScript(sql)
  let step: number | undefined
  let glance: string | undefined
  let atEnd = false
  const before: Former[] = []
  try {
    await runText(client, batch.text + end, (row) => {
      if (STEP_COLUMN in row) step = Number(row[STEP_COLUMN])
      if (typeof row[OUTSIDE] === 'string') glance = row[OUTSIDE]
      if (NOTED in row) atEnd = true
      if (REFERRED in row) before.push(formerOf(row))
    })
  } catch (error) {
    const place = atEnd ? placeAtEnd(all, error) : placeOf(batch, positionOf(error), step)
    learnFrom(error, place?.migration)
    throw migrationFailed(schema, error, { place, kept, atEnd })
  }
  return { glance, before }
}

function formerOf({ schema, object, what, [REFERRED]: referred }: Record<string, unknown>): Former {
  return {
    schema: String(schema),
    object: String(object),
    what: String(what),
    referred: isYes(referred),
  }
}
