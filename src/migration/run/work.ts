import { isTenantryError } from '../../errors.js'
import { parseSlug } from '../../names/slug.js'
import type { Database } from '../../postgres/database.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { FleetSchema } from '../../selector/selector.js'
import { workByBridge } from '../bridges/bridged-run.js'
import { type SchemaLayout, bridgeOf, pathOf } from '../layout.js'
import type { SchemaState } from '../ledger.js'
import { type MigrateHooks, type UnitHooks, unitHooks } from '../migrate-hooks.js'
import type { WorkProgress, WorkResult } from './run.js'
import type { unitOptions } from './run-options.js'
import type { Migration } from '../source.js'
import { fileNames, stepsIn } from '../status.js'
import type { Goal } from '../step.js'
import type { SpareSchemas } from '../spares.js'
import { migrateSchema } from '../unit/unit.js'
import type { UnitProgress, UnitTarget } from '../unit/unit-target.js'
import { workOnSpare } from './work-spare.js'

/** What the work on each schema of a run has in common. */
export interface WorkParts {
  readonly db: Database
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly hooks: MigrateHooks
  readonly options: ReturnType<typeof unitOptions>
  readonly spares?: SpareSchemas | undefined
}

/** One schema of a run, and what is known of it. */
export interface SchemaWork {
  readonly schema: FleetSchema
  readonly state: SchemaState
  readonly migrations: readonly Migration[]
  readonly goal: Goal
}

/** Brings one schema of a run to its goal; a tenant that is gone by now is skipped. */
export async function workOn(
  parts: WorkParts,
  work: SchemaWork,
  progress: WorkProgress,
): Promise<WorkResult> {
  const { db, spares } = parts
  if (work.schema.spare && spares) {
    return workOnSpare({ db, spares }, work, () => migrate(parts, work, progress))
  }
  try {
    return await migrate(parts, work, progress)
  } catch (error) {
    if (await isGone(parts, work.schema)) {
      return { status: 'skipped', applied: [], reason: 'the tenant was deleted during the run' }
    }
    throw error
  }
}

async function migrate(
  parts: WorkParts,
  work: SchemaWork,
  progress: WorkProgress,
): Promise<WorkResult> {
  const { schema, state, goal } = work
  const { db, layout, options } = parts
  const bridge = bridgeOf(layout, schema)
  if (bridge !== undefined) {
    const { lockTimeoutMs } = options
    const hooks = hooksOf(parts, work)
    const task = goal.kind === 'down' ? 'down' : 'up'
    const { exists } = state
    const job = { layout, bridge, exists, lockTimeoutMs, task, hooks } as const
    return workByBridge(db, schema, job, progress)
  }
  const steps = stepsIn(schema, state, work)
  const { exists } = state
  if (steps.length === 0 && (exists || goal.kind === 'down')) {
    return { status: 'current', applied: [] }
  }
  const target = targetOf(parts, work)
  const unit: UnitProgress = { steps: [], alone: [], split: false, begun: progress.begun === true }
  const before = progress.applied ?? []
  const aloneBefore = progress.notAtomic ?? []
  const note = (): void => {
    progress.applied = [...before, ...fileNames(unit.steps.map(({ migration }) => migration))]
    if (unit.split || before.length > 0) progress.atomic = false
    const alone = [...aloneBefore, ...fileNames(unit.alone.map(({ migration }) => migration))]
    if (alone.length > 0) progress.notAtomic = alone
    progress.begun = unit.begun
  }
  try {
    await migrateSchema(parts.db, target, unit)
  } catch (error) {
    note()
    progress.isFinal = leftAnIndex(error)
    throw error
  }
  note()
  return resultOf(progress, exists)
}

function resultOf({ applied = [], atomic, notAtomic }: WorkProgress, existed: boolean): WorkResult {
  return {
    status: applied.length > 0 || !existed ? 'done' : 'current',
    applied,
    ...(atomic === false && applied.length > 0 && { atomic }),
    ...(notAtomic && { notAtomic }),
  }
}

/** Where the ledger is all that changes, nothing is migrated; a spare is nobody's business. */
function hooksOf(
  { layout, hooks }: WorkParts,
  { schema, goal }: SchemaWork,
): UnitHooks | undefined {
  if (goal.kind === 'mark' || schema.spare) return undefined
  const path = pathOf(layout, schema.schema, schema.kind)
  return unitHooks(hooks, { schema, path, direction: goal.kind })
}

function targetOf(parts: WorkParts, work: SchemaWork): UnitTarget {
  const { layout, options } = parts
  const { schema, state, migrations, goal } = work
  const isFixed = schema.kind !== 'tenant'
  return {
    ...options,
    schema: schema.schema,
    path: pathOf(layout, schema.schema, schema.kind),
    migrations,
    // Even `if not exists` needs the right to create schemas.
    createSchema: isFixed && !state.exists,
    guard: options.guard && {
      ...options.guard,
      others: {
        prefix: layout.tenants.prefix,
        ...(schema.kind === 'static' && { names: [...layout.static.keys()] }),
      },
      ...(isFixed && { registry: layout.shared.schema }),
    },
    tenant: schema.tenant?.slug,
    seen: state.applied,
    hooks: hooksOf(parts, work),
    goal,
  }
}

/** What is left of an index stands in the way of the next attempt. */
function leftAnIndex(error: unknown): boolean {
  return isTenantryError(error, 'MIGRATION_FAILED') && error.candidates !== undefined
}

async function isGone({ db, registry }: WorkParts, { tenant }: FleetSchema): Promise<boolean> {
  if (tenant === undefined) return false
  try {
    const found = await registry.findBySlug(db, parseSlug(tenant.slug))
    return found === undefined || found.status === 'deleted' || found.id !== tenant.id
  } catch {
    return false
  }
}
