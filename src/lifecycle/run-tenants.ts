import type { RunReport, SchemaOutcome } from '../migration/report.js'
import { type RunSettings, type WorkResult, runOver } from '../migration/run.js'
import type { SchemaName } from '../names/schema-name.js'

/** A tenant that a run is about, which may have no row in the registry yet. */
export interface RunTenant {
  readonly slug: string
  readonly schema: SchemaName
}

/** Works on many tenants, a few at a time; the outcomes have their slugs. */
export async function runTenants<Item extends RunTenant>(
  items: readonly Item[],
  { onOutcome, onEvent, ...settings }: RunSettings,
  work: (item: Item) => Promise<WorkResult>,
): Promise<RunReport> {
  const bySchema = new Map<string, Item>(items.map((item) => [item.schema, item]))
  const itemOf = (schema: string): Item => {
    const item = bySchema.get(schema)
    if (item === undefined) throw new TypeError('unreachable')
    return item
  }
  const named = (outcome: SchemaOutcome): SchemaOutcome => {
    const { schema, kind, ...rest } = outcome
    return { schema, kind, tenant: itemOf(schema).slug, ...rest }
  }
  const queue = [...bySchema.values()].map(({ schema }) => ({ schema, kind: 'tenant' as const }))
  const report = await runOver(
    queue,
    {
      ...settings,
      onOutcome: (outcome) => onOutcome?.(named(outcome)),
      onEvent: (event) =>
        onEvent?.(event.type === 'finished' ? { ...event, outcome: named(event.outcome) } : event),
    },
    ({ schema }) => work(itemOf(schema)),
  )
  return { ...report, outcomes: report.outcomes.map(named) }
}
