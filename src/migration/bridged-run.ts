import { quoteIdent } from '../names/schema-name.js'
import type { Database } from '../postgres/database.js'
import { toError } from '../postgres/sql-state.js'
import type { FleetSchema } from '../selector/selector.js'
import { optionInvalid } from '../support/options.js'
import { workQueue } from '../support/work-queue.js'
import type { MigrationBridge } from './bridge.js'
import { type SchemaLayout, bridgeOf } from './layout.js'
import { runBridge } from './run-bridge.js'
import type { WorkResult } from './run.js'

const STATUS_CONCURRENCY = 4

/** How {@link workByBridge} goes about it. */
export interface BridgedWork {
  readonly layout: SchemaLayout
  readonly bridge: MigrationBridge
  readonly exists: boolean
  readonly lockTimeoutMs: number
  readonly task: 'up' | 'down'
}

/** Does the work of a run on one schema with another tool; makes a static schema that is missing. */
export async function workByBridge(
  db: Database,
  schema: FleetSchema,
  { layout, bridge, exists, lockTimeoutMs, task }: BridgedWork,
): Promise<WorkResult> {
  if (!exists && schema.kind !== 'tenant') {
    await db.query(`create schema if not exists ${quoteIdent(schema.schema)}`)
  }
  const applied = await runBridge(db, { layout, schema, bridge, lockTimeoutMs, task })
  return { status: applied.length > 0 || !exists ? 'done' : 'current', applied }
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
