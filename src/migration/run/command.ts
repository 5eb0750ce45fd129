import { SCHEMA_KINDS } from '../../selector/selector.js'
import { flag } from '../../support/options.js'
import { requireNoBridge } from '../bridges/bridged-run.js'
import { type GoalOf, backward, forward } from './goal.js'
import { newestId } from '../ledger.js'
import { runGoals } from './goal-run.js'
import { loadSets } from '../layout.js'
import { type RunReport, adviceOnLimit, joinReports, requireSuccess } from './report.js'
import {
  DEFAULT_LOCK_TIMEOUT_MS,
  type DownOptions,
  type MarkOptions,
  type PlanOptions,
  type RunOptions,
  type SelectOptions,
  type StatusOptions,
  type UpOptions,
} from './run-options.js'
import {
  type MigratorParts,
  loadSelection,
  observe,
  selectSchemas,
  statusesOf,
  withBridgedPlans,
} from '../selection.js'
import { type SchemaPlan, type SchemaStatus, planOf } from '../status.js'
import { verifyAfterRun } from '../verify/after-run.js'
import { type VerifyReport, verifySchemas } from '../verify/verify.js'
import { present } from '../../support/present.js'

/** How many schemas' states are held at a time. */
const CHUNK = 500

/** See `Migrator.up`. */
export async function migrateUp(parts: MigratorParts, options: UpOptions): Promise<RunReport> {
  const goalOf = forward('up', options.to)
  const verify = flag('verify', options.verify ?? false)
  // New tenants get all migrations, so a spare that is left halfway would be of no use.
  const withSpares = options.to === undefined
  let { report, schemas } = await runGoals(parts, { options, goalOf, withSpares })
  const isOver = (): boolean =>
    options.signal?.aborted === true ||
    // Those that were left out would be taken for tenants that have come meanwhile.
    options.limit !== undefined ||
    report.outcomes.some(({ status }) => status === 'failed') ||
    !report.outcomes.some(({ status }) => status === 'done')
  while (!isOver()) {
    const known = report.outcomes.map(({ schema }) => schema)
    const later = await runGoals(parts, { options, goalOf, known, withSpares })
    report = joinReports(report, later.report)
    schemas = [...schemas, ...later.schemas]
    if (later.schemas.length === 0) break
  }
  const advice = options.limit === undefined ? '' : adviceOnLimit(report)
  requireSuccess('MIGRATION_RUN_FAILED', report, advice)
  if (!verify || options.signal?.aborted === true) return report
  return verifyAfterRun({ ...parts, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS }, { report, schemas })
}

/** See `Migrator.down`. */
export async function migrateDown(parts: MigratorParts, options: DownOptions): Promise<RunReport> {
  const kinds = SCHEMA_KINDS.toReversed()
  const { report } = await runGoals(parts, { options, goalOf: backward(options), kinds })
  return requireSuccess('MIGRATION_RUN_FAILED', report)
}

/** See `Migrator.redo`. */
export async function migrateAgain(parts: MigratorParts, options: RunOptions): Promise<RunReport> {
  const before = await loadSelection(parts, options)
  const versions = new Map(
    before.schemas.map((each) => [each.schema, newestId(before.stateOf(each).applied)]),
  )
  await migrateDown(parts, { ...options, steps: 1 })
  const goalOf: GoalOf = ({ schema }) => ({ kind: 'up', to: present(versions.get(schema)) })
  const { report } = await runGoals(parts, { options, goalOf })
  return requireSuccess('MIGRATION_RUN_FAILED', report)
}

/** See `Migrator.markApplied`. */
export async function markApplied(parts: MigratorParts, options: MarkOptions): Promise<RunReport> {
  const goalOf = forward('mark', options.to)
  const { report } = await runGoals(parts, { options, goalOf })
  return requireSuccess('MIGRATION_RUN_FAILED', report)
}

/** See `Migrator.plan`. */
export async function planSchemas(
  parts: MigratorParts,
  options: PlanOptions,
): Promise<readonly SchemaPlan[]> {
  const { atomicity } = options
  const goalOf = forward('up', options.to)
  const selection = await loadSelection(parts, options)
  if (options.to !== undefined) requireNoBridge(parts.layout, selection.schemas)
  const plans = selection.schemas.map((schema) =>
    planOf(schema, selection.stateOf(schema), {
      migrations: selection.migrationsOf(schema),
      goal: goalOf(schema, selection),
      atomicity,
    }),
  )
  return withBridgedPlans(parts, selection, plans)
}

/** See `Migrator.status`. */
export async function readStatus(
  parts: MigratorParts,
  options: StatusOptions,
): Promise<readonly SchemaStatus[]> {
  return statusesOf(parts, await loadSelection(parts, options))
}

/** See `Migrator.statuses`. */
export async function* readStatuses(
  parts: MigratorParts,
  options: StatusOptions,
): AsyncGenerator<SchemaStatus, void, undefined> {
  if (options.limit !== undefined) {
    // To choose them, the states of all have been read.
    yield* await readStatus(parts, options)
    return
  }
  const migrationsOf = await loadSets(parts.layout)
  const schemas = await selectSchemas(parts, options)
  for (let from = 0; from < schemas.length; from += CHUNK) {
    const chunk = schemas.slice(from, from + CHUNK)
    const selection = await observe(parts, { schemas: chunk, migrationsOf }, options)
    yield* await statusesOf(parts, selection)
  }
}

/** See `Migrator.verify`. */
export async function verifySelection(
  parts: MigratorParts,
  options: SelectOptions,
): Promise<VerifyReport> {
  const schemas = await selectSchemas(parts, options)
  return verifySchemas({ ...parts, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS }, schemas)
}
