import { isTenantryError } from '../errors.js'
import { cancellable } from '../postgres/cancellable.js'
import type { FleetSchema } from '../selector/selector.js'
import { requireNoBridge } from './bridged-run.js'
import { checkExtensions } from './extension-check.js'
import { installExtensions } from './extensions.js'
import { type GoalOf, extensionUses, requireReversible } from './goal.js'
import { extrasOf, loadSets } from './layout.js'
import { checkBeforeRun } from './lint/before-run.js'
import type { RunReport } from './report.js'
import { type RunSettings, runOver } from './run.js'
import {
  type DownOptions,
  type RunOptions,
  type SelectOptions,
  lintMode,
  settingsOf,
  unitOptions,
} from './run-options.js'
import { type MigratorParts, type Selection, observe, selectSchemas } from './selection.js'
import { ABSENT } from './status.js'
import { type SchemaWork, workOn } from './work.js'

/** A run with a goal for each selected schema. */
export interface GoalRun {
  readonly options: RunOptions & Pick<DownOptions, 'to' | 'steps'>
  readonly goalOf: GoalOf
  /** Schemas that another run has taken care of. */
  readonly known?: readonly string[]
  readonly kinds?: RunSettings['kinds']
}

/** Brings the selected schemas to their goals; what is wrong with the options is known before. */
export async function runGoals(
  base: MigratorParts,
  { options, goalOf, known = [], kinds }: GoalRun,
): Promise<RunReport> {
  const parts = { ...base, db: cancellable(base.db, options.cancel) }
  const settings = { ...settingsOf(options), kinds }
  const workParts = { ...parts, options: unitOptions(options) }
  const lint = lintMode(options)
  const migrationsOf = await loadSets(parts.layout)
  const schemas = await selectBut(parts, options, known)
  const nothing: Selection = { schemas, migrationsOf, stateOf: () => ABSENT }
  const [kind] = schemas.map((schema) => goalOf(schema, nothing).kind)
  if (kind === 'mark' || options.to !== undefined || (options.steps ?? 1) > 1) {
    requireNoBridge(parts.layout, schemas)
  }
  const selection = await observe(parts, { schemas, migrationsOf }, options)
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
  await checkExtensionUse(parts, works, isShared)
  if (isShared) {
    await parts.registry.install(parts.db)
    await installExtensions(parts.db, parts.layout.extensions)
  }
  const workOf = new Map<FleetSchema, SchemaWork>(works.map((work) => [work.schema, work]))
  return runOver(schemas, settings, async (schema, progress) => {
    const work = workOf.get(schema)
    if (work === undefined) throw new TypeError('unreachable')
    return workOn(workParts, work, progress)
  })
}

async function checkExtensionUse(
  { db, layout: { extensions } }: MigratorParts,
  works: readonly SchemaWork[],
  isShared: boolean,
): Promise<void> {
  if (extensions === undefined) return
  await checkExtensions(db, works.flatMap(extensionUses), isShared ? extensions.create : [])
}

async function selectBut(
  parts: MigratorParts,
  options: SelectOptions,
  known: readonly string[],
): Promise<readonly FleetSchema[]> {
  if (known.length === 0) return selectSchemas(parts, options)
  const schemas = await selectSchemas(parts, options).catch((error: unknown) => {
    // A tenant that was named may be gone by now; then nobody has come.
    if (isTenantryError(error, 'SELECTOR_UNKNOWN')) return []
    throw error
  })
  const done = new Set(known)
  return schemas.filter(({ schema }) => !done.has(schema))
}
