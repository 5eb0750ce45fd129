import { type RunReport, type SchemaOutcome, requireSuccess } from '../../migration/report.js'
import { type WorkResult, runOver } from '../../migration/run.js'
import { settingsOf } from '../../migration/run-options.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { LifecycleParts } from '../create.js'
import type { FleetOptions } from './fleet-options.js'

/** A tenant that a run over archives is about. */
export interface FleetItem {
  readonly slug: string
  readonly schema: string
}

/** What is done for one tenant; it answers with whether there was anything to do. */
export type FleetWork<Item> = (item: Item) => Promise<'done' | 'current'>

/**
 * Works on archives of many tenants, a few at a time.
 *
 * @throws `RUN_FAILED` with the report, when a tenant failed
 */
export async function runFleet<Item extends FleetItem>(
  { pool }: LifecycleParts,
  items: readonly Item[],
  { options, work }: { readonly options: FleetOptions; readonly work: FleetWork<Item> },
): Promise<RunReport> {
  const { onEvent } = options
  const bySchema = new Map<SchemaName, Item>(
    items.map((item) => [parseSchemaName(item.schema), item]),
  )
  const named = (outcome: SchemaOutcome): SchemaOutcome => {
    const { schema, kind, ...rest } = outcome
    const item = bySchema.get(parseSchemaName(schema))
    return { schema, kind, ...(item && { tenant: item.slug }), ...rest }
  }
  const settings = settingsOf({
    ...options,
    onOutcome: (outcome) => options.onOutcome?.(named(outcome)),
    onEvent: (event) => {
      onEvent?.(event.type === 'finished' ? { ...event, outcome: named(event.outcome) } : event)
    },
  })
  // One client is the folder's.
  const most = Math.max(1, pool.options.max - 1)
  const concurrency = Math.min(settings.concurrency, most)
  const queue = [...bySchema.keys()].map((schema) => ({ schema, kind: 'tenant' as const }))
  const report = await runOver(
    queue,
    { ...settings, concurrency, maxAttempts: 1 },
    async ({ schema }): Promise<WorkResult> => {
      const item = bySchema.get(schema)
      if (item === undefined) throw new TypeError('unreachable')
      return { status: await work(item), applied: [] }
    },
  )
  return requireSuccess('RUN_FAILED', { ...report, outcomes: report.outcomes.map(named) })
}
