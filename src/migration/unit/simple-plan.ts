import { fingerprintOf } from '../fingerprint.js'
import { type LedgerRow, digestOf } from '../ledger.js'
import { leavesOnlyLocks } from '../guard/only-locks.js'
import { leavesSettings } from './settings.js'
import type { Migration } from '../source.js'
import { type Step, firstSegment, stepsTo } from '../step.js'
import type { UnitTarget } from './unit-target.js'

/** What a schema needs where nothing is special about it; the same for each that stands there. */
export interface SimplePlan {
  readonly steps: readonly Step[]
  readonly migrations: readonly Migration[]
  /** What the ledger's rows come to before; see {@link digestOf}. */
  readonly digest: string
  /** The fingerprint of the ledger afterwards. */
  readonly fingerprint: string
}

interface Known {
  readonly target: UnitTarget
  readonly plan: SimplePlan | undefined
}

const known = new WeakMap<readonly LedgerRow[], Known>()

/**
 * What a schema needs, if all of it can be in one text together with BEGIN and COMMIT.
 *
 * @returns `undefined` for a schema or for migrations that need a closer look, and where hooks come
 * in between.
 */
export function simplePlan(target: UnitTarget): SimplePlan | undefined {
  const { seen } = target
  if (target.hooks !== undefined) return undefined
  if (seen === undefined || seen.length === 0 || target.goal?.kind !== 'up') return undefined
  const before = known.get(seen)
  if (before !== undefined && isAlike(before.target, target)) return before.plan
  const plan = makePlan(target, seen)
  known.set(seen, { target, plan })
  return plan
}

/** Has the schemas that stand where this one does looked at closely from now on. */
export function lookClosely(target: UnitTarget): void {
  if (target.seen !== undefined) known.set(target.seen, { target, plan: undefined })
}

function isAlike(one: UnitTarget, other: UnitTarget): boolean {
  return (
    one.migrations === other.migrations &&
    one.atomicity === other.atomicity &&
    (one.guard === undefined) === (other.guard === undefined) &&
    one.goal?.to === other.goal?.to
  )
}

function makePlan(target: UnitTarget, seen: readonly LedgerRow[]): SimplePlan | undefined {
  const { schema, migrations: set, goal, atomicity } = target
  if (goal === undefined) return undefined
  const steps = stepsTo(goal, schema, { migrations: set, applied: seen })
  const segment = firstSegment(steps, atomicity)
  if (segment === undefined || segment.alone || segment.steps.length < steps.length) {
    return undefined
  }
  const migrations = steps.map(({ migration }) => migration)
  if (!migrations.every((migration) => isSimple(migration, target))) return undefined
  const fingerprint = fingerprintOf([...seen, ...migrations])
  return { steps, migrations, digest: digestOf(seen), fingerprint }
}

function isSimple(migration: Migration, { guard }: UnitTarget): boolean {
  if (migration.code !== undefined || leavesSettings(migration.sql)) return false
  return guard === undefined || leavesOnlyLocks(migration)
}
