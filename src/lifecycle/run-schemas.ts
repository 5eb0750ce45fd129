import type { RunReport, SchemaOutcome } from '../migration/run/report.js'
import { type RunSettings, type WorkResult, runOver } from '../migration/run/run.js'
import type { SchemaName } from '../names/schema-name.js'
import type { SchemaKind } from '../selector/selector.js'
import { present } from '../support/present.js'

/** A schema that a run is about. */
export interface RunSchema {
  readonly schema: SchemaName
  readonly kind: SchemaKind
  /** The slug of its tenant, which may have no row in the registry yet. */
  readonly slug?: string
}

/** How a run goes over its schemas. */
export interface RunSchemasSettings extends Omit<RunSettings, 'kinds'> {
  /** Takes all kinds at once: none needs what another one brings. @defaultValue `false` */
  readonly together?: boolean
}

/** Works on many schemas, a few at a time; the outcomes have the tenants' slugs. */
export async function runSchemas<Item extends RunSchema>(
  items: readonly Item[],
  { onOutcome, onEvent, together = false, ...settings }: RunSchemasSettings,
  work: (item: Item) => Promise<WorkResult>,
): Promise<RunReport> {
  const bySchema = new Map<string, Item>(items.map((item) => [item.schema, item]))
  const itemOf = (schema: string): Item => present(bySchema.get(schema))
  const named = (outcome: SchemaOutcome): SchemaOutcome => {
    const { schema, kind: _, ...rest } = outcome
    const { slug: tenant, kind } = itemOf(schema)
    return { schema, kind, ...(tenant !== undefined && { tenant }), ...rest }
  }
  const report = await runOver(
    [...bySchema.values()].map(({ schema, kind }) => ({
      schema,
      kind: together ? 'tenant' : kind,
    })),
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
