import { quoteIdent } from '../names/schema-name.js'
import type { Database } from '../postgres/database.js'
import { toError } from '../postgres/sql-state.js'
import type { FleetSchema } from '../selector/selector.js'
import { workQueue } from '../support/work-queue.js'
import type { MigrationBridge } from './bridge.js'
import { type SchemaLayout, bridgeOf } from './layout.js'
import { runBridge } from './run-bridge.js'

const STATUS_CONCURRENCY = 4

/** How {@link upByBridge} goes about it. */
export interface BridgedUp {
  readonly layout: SchemaLayout
  readonly bridge: MigrationBridge
  readonly exists: boolean
  readonly lockTimeoutMs: number
}

/** Brings one schema of a run up to date with another tool; makes a static schema that is missing. */
export async function upByBridge(
  db: Database,
  schema: FleetSchema,
  { layout, bridge, exists, lockTimeoutMs }: BridgedUp,
): Promise<{ readonly status: 'done' | 'current'; readonly applied: readonly string[] }> {
  if (!exists && schema.kind !== 'tenant') {
    await db.query(`create schema if not exists ${quoteIdent(schema.schema)}`)
  }
  const applied = await runBridge(db, { layout, schema, bridge, lockTimeoutMs, task: 'up' })
  return { status: applied.length > 0 || !exists ? 'done' : 'current', applied }
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
