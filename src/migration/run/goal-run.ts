import { type MigrationMessage, migrationChannel, traced } from '../../diagnostics/channels.js'
import { isTenantryError } from '../../errors.js'
import { cancellable } from '../../postgres/cancellable.js'
import type { FleetSchema } from '../../selector/selector.js'
import { requireNoBridge } from '../bridges/bridged-run.js'
import { checkExtensions } from '../extensions/extension-check.js'
import { installExtensions } from '../extensions/extensions.js'
import { type GoalOf, extensionUses, requireReversible } from './goal.js'
import { extrasOf, loadSets } from '../layout.js'
import { checkBeforeRun } from '../lint/before-run.js'
import type { RunReport } from './report.js'
import { type RunSettings, runOver } from './run.js'
import {
  type DownOptions,
  type RunOptions,
  lintMode,
  settingsOf,
  unitOptions,
} from './run-options.js'
import { type MigratorParts, type Selection, observe, selectUnlimited } from '../selection.js'
import { ABSENT } from '../status.js'
import { sparesBeside } from './work-spare.js'
import { type SchemaWork, workOn } from './work.js'
import { present } from '../../support/present.js'

/** A run with a goal for each selected schema. */
export interface GoalRun {
  readonly options: RunOptions & Pick<DownOptions, 'to' | 'steps'>
  readonly goalOf: GoalOf
  /** Schemas that another run has taken care of. */
  readonly known?: readonly string[]
  readonly kinds?: RunSettings['kinds']
  /** Takes the spares along. */
  readonly withSpares?: boolean
}

/** What a run came to, and what it was about. */
export interface GoalResult {
  readonly report: RunReport
  readonly schemas: readonly FleetSchema[]
}

/** Brings the selected schemas to their goals; what is wrong with the options is known before. */
export async function runGoals(base: MigratorParts, run: GoalRun): Promise<GoalResult> {
  const { options, goalOf, kinds } = run
  const parts = { ...base, db: cancellable(base.db, options.cancel) }
  const settings = { ...settingsOf(options), kinds }
  const workParts = { ...parts, options: unitOptions(options, parts.layout.guard) }
  const lint = lintMode(options)
  const migrationsOf = await loadSets(parts.layout)
  const selected = await selectBut(parts, run)
  const nothing: Selection = { schemas: selected, migrationsOf, stateOf: () => ABSENT }
  const [kind] = selected.map((schema) => goalOf(schema, nothing).kind)
  if (kind === 'mark' || options.to !== undefined || (options.steps ?? 1) > 1) {
    requireNoBridge(parts.layout, selected)
  }
  const extensions = parts.layout.extensions !== undefined
  const asked = { schemas: selected, migrationsOf }
  const selection = await observe(parts, asked, { ...options, extensions })
  const { schemas, installed } = selection
  const works = schemas.map((schema) => ({
    schema,
    state: selection.stateOf(schema),
    migrations: migrationsOf(schema),
    goal: goalOf(schema, selection),
  }))
  if (kind === 'down') for (const work of works) requireReversible(work)
  const { onEvent } = options
  const { guard } = workParts.options
  await checkBeforeRun(works, { lint, guard, extras: extrasOf(parts.layout, 'tenant'), onEvent })
  const isShared = kind !== 'down' && schemas.some((schema) => schema.kind === 'shared')
  await checkExtensionUse(parts, works, { isShared, installed })
  if (isShared) {
    await parts.registry.install(parts.db)
    await installExtensions(parts.db, parts.layout.extensions, installed)
  }
  const workOf = new Map<FleetSchema, SchemaWork>(works.map((work) => [work.schema, work]))
  const report = await runOver(schemas, settings, async (schema, progress) => {
    const work = present(workOf.get(schema))
    const message = (): MigrationMessage => messageOf(work)
    return traced(migrationChannel, message, () => workOn(workParts, work, progress))
  })
  return { report, schemas }
}

function messageOf({ schema: { schema, kind, tenant }, goal }: SchemaWork): MigrationMessage {
  return { schema, kind, tenant, direction: goal.kind }
}

async function checkExtensionUse(
  { db, layout: { extensions, shared } }: MigratorParts,
  works: readonly SchemaWork[],
  {
    isShared,
    installed,
  }: { readonly isShared: boolean; readonly installed: Selection['installed'] },
): Promise<void> {
  if (extensions === undefined) return
  const { create } = extensions
  await checkExtensions(db, works.flatMap(extensionUses), {
    soon: isShared ? create : [],
    later: { create, shared: shared.schema },
    installed,
  })
}

async function selectBut(
  parts: MigratorParts,
  { options, known = [], withSpares = false }: GoalRun,
): Promise<readonly FleetSchema[]> {
  const done = new Set(known)
  const schemas = await selectUnlimited(parts, options).catch((error: unknown) => {
    // A tenant that was named may be gone by now; then nobody has come.
    if (done.size > 0 && isTenantryError(error, 'SELECTOR_UNKNOWN')) return []
    throw error
  })
  const spares = withSpares ? await sparesBeside(parts, options) : []
  return [...schemas, ...spares].filter(({ schema }) => !done.has(schema))
}
