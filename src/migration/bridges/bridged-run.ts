import { quoteIdent } from '../../names/schema-name.js'
import type { Database } from '../../postgres/database.js'
import { toError } from '../../postgres/sql-state.js'
import type { FleetSchema } from '../../selector/selector.js'
import { optionInvalid } from '../../support/options.js'
import { workQueue } from '../../support/work-queue.js'
import type { MigrationBridge } from './bridge.js'
import { type SchemaLayout, bridgeOf } from '../layout.js'
import type { UnitHooks } from '../migrate-hooks.js'
import { type BridgeJob, runBridge } from './run-bridge.js'
import type { WorkProgress, WorkResult } from '../run/run.js'

const STATUS_CONCURRENCY = 4

/** How {@link workByBridge} goes about it. */
export interface BridgedWork {
  readonly layout: SchemaLayout
  readonly bridge: MigrationBridge
  readonly exists: boolean
  readonly lockTimeoutMs: number
  readonly task: 'up' | 'down'
  readonly hooks?: UnitHooks | undefined
}

/** Does the work of a run on one schema with another tool; makes a static schema that is missing. */
export async function workByBridge(
  db: Database,
  schema: FleetSchema,
  work: BridgedWork,
  progress: WorkProgress,
): Promise<WorkResult> {
  const { layout, bridge, exists, lockTimeoutMs, task, hooks } = work
  if (!exists && schema.kind !== 'tenant') {
    await db.query(`create schema if not exists ${quoteIdent(schema.schema)}`)
  }
  const job = { layout, schema, bridge, lockTimeoutMs, task }
  const applied =
    hooks === undefined ? await runBridge(db, job) : await runHooked(db, job, hooks, progress)
  return { status: applied.length > 0 || !exists ? 'done' : 'current', applied }
}

/**
 * The tool commits as it likes, so its hooks have transactions of their own. What it would take back
 * cannot be known before: then the hook that comes first is called in any case.
 */
async function runHooked(
  db: Database,
  job: BridgeJob,
  hooks: UnitHooks,
  progress: WorkProgress,
): Promise<readonly string[]> {
  const again = progress.begun === true
  if (!again) {
    const isIdle =
      job.task === 'up' && (await runBridge(db, { ...job, task: 'pending' })).length === 0
    if (isIdle) return []
    await db.transaction((client) => hooks.before(client))
    progress.begun = true
  }
  const applied = [...(progress.applied ?? []), ...(await runBridge(db, job))]
  if (applied.length === 0) return []
  progress.applied = applied
  progress.atomic = false
  await db.transaction((client) => hooks.after(client, applied))
  return applied
}

/**
 * Another tool's migrations are not ours to name, to count or to mark.
 *
 * @throws `OPTIONS_INVALID`
 */
export function requireNoBridge(layout: SchemaLayout, schemas: readonly FleetSchema[]): void {
  for (const schema of schemas) {
    const bridge = bridgeOf(layout, schema)
    if (bridge === undefined) continue
    throw optionInvalid(
      'select',
      `${bridge.origin} keeps the books of schema "${schema.schema}", so it can only be brought up to ` +
        'date or one step back from here. Use the tool itself, or leave the schema out with "exclude".',
    )
  }
}

/** What a status says of one schema. */
interface Standing {
  readonly schema: string
  readonly exists: boolean
  readonly version: number
  readonly pending: readonly string[]
  readonly problem?: Error
}

/**
 * Completes the status of schemas whose migrations another tool runs: their ledger is the tool's, so
 * the version is 0.
 */
export async function withBridgedPending<S extends Standing>(
  db: Database,
  layout: SchemaLayout,
  found: { readonly schemas: readonly FleetSchema[]; readonly statuses: readonly S[] },
): Promise<readonly S[]> {
  const statuses = [...found.statuses]
  const rows = found.schemas.map((schema, at) => ({ schema, at }))
  await workQueue(rows, { concurrency: STATUS_CONCURRENCY, stopped: () => false }, async (row) => {
    const bridge = bridgeOf(layout, row.schema)
    const status = statuses[row.at]
    if (bridge === undefined || status === undefined) return
    const bare = { ...status, version: 0, pending: [] }
    statuses[row.at] = status.exists
      ? await runBridge(db, { layout, schema: row.schema, bridge, task: 'pending' }).then(
          (pending) => ({ ...bare, pending }),
          (problem: unknown) => ({ ...bare, problem: toError(problem) }),
        )
      : bare
  })
  return statuses
}
