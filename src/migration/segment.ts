import type { PoolClient, QueryResultRow } from 'pg'
import { memoryOf } from '../postgres/client-memory.js'
import { type Place, STEP_COLUMN, batchOf, placeOf } from './batch.js'
import { runCode } from './code.js'
import { RESTORE_PATH } from './enter.js'
import { migrationFailed, positionOf } from './failure.js'
import { fingerprintText } from './fingerprint.js'
import { OUTSIDE, glanceText } from './glance.js'
import { type Escape, escaped, guardText, mayCreate } from './guard.js'
import { type LedgerRow, ledgerDelete, ledgerInsert } from './ledger.js'
import { runText } from './run-text.js'
import { leavesSettings, readSettings, restoreSettings } from './settings.js'
import type { Migration } from './source.js'
import type { Step } from './step.js'
import type { UnitTarget } from './unit-target.js'

/** What is run in one go: SQL that goes together, or one migration that needs care around it. */
interface Piece {
  readonly migrations: readonly Migration[]
  readonly careful: boolean
}

/** Steps of a schema, and what its ledger has at that moment. */
export interface StepsAt {
  readonly steps: readonly Step[]
  readonly applied: readonly LedgerRow[]
}

/** Runs steps and notes them in the ledger, in the transaction that the caller has open. */
export async function runSteps(
  client: PoolClient,
  target: UnitTarget,
  { steps, applied }: StepsAt,
): Promise<void> {
  const migrations = steps.filter(({ runs }) => runs).map(({ migration }) => migration)
  const pieces = piecesOf(migrations)
  const last = pieces.at(-1)?.careful === false ? pieces.pop() : undefined
  for (const piece of pieces) await runPiece(client, target, piece)
  const glance = glanceFor(target, migrations)
  const end = [ledgerText(target, steps, applied), glance, RESTORE_PATH].join('\n')
  const saw = await runBatch(client, target, { migrations: last?.migrations ?? [], end })
  if (saw || glance === '') await askGuard(client, target, migrations)
}

/** Where locks do not tell everything, the guard is asked in any case. */
function glanceFor({ schema, guard }: UnitTarget, migrations: readonly Migration[]): string {
  return guard === undefined || mayCreate(migrations) ? '' : glanceText(schema)
}

interface EscapeRow extends QueryResultRow, Escape {}

async function askGuard(
  client: PoolClient,
  { schema, guard, touched = [] }: UnitTarget,
  migrations: readonly Migration[],
): Promise<void> {
  if (guard === undefined) return
  const { rows } = await client.query<EscapeRow>(guardText(schema, guard, migrations))
  const [first, ...more] = rows.filter((row) => !touched.some((before) => isSame(before, row)))
  if (first !== undefined) throw escaped(schema, [first, ...more], migrations)
}

/** What the transaction has locked outside of the schema so far. */
export async function readTouched(
  client: PoolClient,
  { schema, guard }: UnitTarget,
): Promise<readonly Escape[]> {
  if (guard === undefined) return []
  const { rows } = await client.query<EscapeRow>(guardText(schema, guard, []))
  return rows
}

function isSame(one: Escape, other: Escape): boolean {
  return one.schema === other.schema && one.object === other.object && one.what === other.what
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

function piecesOf(migrations: readonly Migration[]): Piece[] {
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
  { migrations, careful }: Piece,
): Promise<void> {
  if (!careful) {
    await runBatch(client, target, { migrations, end: '' })
    return
  }
  const [migration] = migrations
  if (migration?.code !== undefined) {
    await runCode(client, target, migration)
    return
  }
  const before = await readSettings(client)
  await runBatch(client, target, { migrations, end: '' })
  await restoreSettings(client, before, migrations.map(({ sql }) => sql).join('\n'))
}

/** @returns whether a glance that is part of the text saw something. */
async function runBatch(
  client: PoolClient,
  { schema, path, kept }: UnitTarget,
  { migrations, end }: { readonly migrations: readonly Migration[]; readonly end: string },
): Promise<boolean> {
  const batch = batchOf(migrations, path)
  const memory = memoryOf(client)
  for (const { sql } of migrations) memory.noteScript(sql)
  let step: number | undefined
  let sawOutside = false
  try {
    await runText(client, batch.text + end, (row) => {
      if (STEP_COLUMN in row) step = Number(row[STEP_COLUMN])
      if (OUTSIDE in row) sawOutside = true
    })
  } catch (error) {
    const place: Place | undefined = placeOf(batch, positionOf(error), step)
    throw migrationFailed(schema, error, { place, kept })
  }
  return sawOutside
}
