import type { PoolClient } from 'pg'
import { memoryOf } from '../postgres/client-memory.js'
import { type Place, STEP_COLUMN, batchOf, placeOf } from './batch.js'
import { runCode } from './code.js'
import { CLIENT_PATH } from './enter.js'
import { migrationFailed, positionOf } from './failure.js'
import { fingerprintText } from './fingerprint.js'
import { type Escape, escapeOf, escaped, guardText } from './guard.js'
import { type LedgerRow, ledgerDelete, ledgerInsert } from './ledger.js'
import { runText } from './run-text.js'
import { leavesSettings, readSettings, restoreSettings } from './settings.js'
import type { Migration } from './source.js'
import type { Step } from './step.js'
import type { UnitTarget } from './unit-target.js'

/** A migration may have changed the path of the session, which is the next borrower's. */
const RESTORE_PATH = `select pg_catalog.set_config('search_path', current_setting('${CLIENT_PATH}'), false);`

/** What is run in one go: SQL that goes together, or one migration that needs care around it. */
interface Piece {
  readonly migrations: readonly Migration[]
  readonly careful: boolean
}

/** Runs steps and notes them in the ledger, in the transaction that the caller has open. */
export async function runSteps(
  client: PoolClient,
  target: UnitTarget,
  { steps, applied }: { readonly steps: readonly Step[]; readonly applied: readonly LedgerRow[] },
): Promise<void> {
  const migrations = steps.filter(({ runs }) => runs).map(({ migration }) => migration)
  const pieces = piecesOf(migrations)
  const last = pieces.at(-1)?.careful === false ? pieces.pop() : undefined
  for (const piece of pieces) await runPiece(client, target, piece)
  const guard = target.guard && guardText(target.schema, target.guard, migrations)
  const end = [ledgerText(target, steps, applied), guard ?? '', RESTORE_PATH].join('\n')
  const escapes = await runBatch(client, target, { migrations: last?.migrations ?? [], end })
  const [first, ...more] = escapes
  if (first !== undefined) throw escaped(target.schema, [first, ...more], migrations)
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
  const before = await readSettings(client)
  const [migration] = migrations
  if (migration?.code === undefined) await runBatch(client, target, { migrations, end: '' })
  else await runCode(client, target, migration)
  await restoreSettings(client, before, migrations.map(({ sql }) => sql).join('\n'))
}

async function runBatch(
  client: PoolClient,
  { schema, path, kept }: UnitTarget,
  { migrations, end }: { readonly migrations: readonly Migration[]; readonly end: string },
): Promise<readonly Escape[]> {
  const batch = batchOf(migrations, path)
  const memory = memoryOf(client)
  for (const { sql } of migrations) memory.noteScript(sql)
  let step: number | undefined
  const escapes: Escape[] = []
  try {
    await runText(client, batch.text + end, (row) => {
      if (STEP_COLUMN in row) step = Number(row[STEP_COLUMN])
      const escape = escapeOf(row)
      if (escape !== undefined) escapes.push(escape)
    })
  } catch (error) {
    const place: Place | undefined = placeOf(batch, positionOf(error), step)
    throw migrationFailed(schema, error, { place, kept })
  }
  return escapes
}
