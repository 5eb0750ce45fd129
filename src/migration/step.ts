import { TenantryError } from '../errors.js'
import type { LedgerRow } from './ledger.js'
import { needsNoTransaction } from './transaction/no-transaction.js'
import { pendingMigrations } from './plan.js'
import type { Migration } from './source.js'

/** What a schema's unit is for. */
export type Goal =
  | { readonly kind: 'up'; readonly to?: number }
  | { readonly kind: 'down'; readonly to: number }
  /** Notes migrations in the ledger and runs nothing. */
  | { readonly kind: 'mark'; readonly to?: number }

/** One migration of a unit, there or back. */
export interface Step {
  /** What is run; for the way back its `sql` and `code` are those of the reverse. */
  readonly migration: Migration
  readonly effect: 'add' | 'remove'
  /** `false` where the ledger is all that changes. */
  readonly runs: boolean
}

/** How much of a unit is one transaction. */
export type Atomicity = 'schema' | 'migration'

/** Steps that are committed together, or one that cannot be in a transaction. */
export interface Segment {
  readonly steps: readonly Step[]
  readonly alone: boolean
}

/**
 * The steps from what a schema has had to its goal.
 *
 * @throws what {@link pendingMigrations} throws, and `MIGRATION_IRREVERSIBLE` for a migration on
 * the way back that has no reverse.
 */
export function stepsTo(
  goal: Goal,
  schema: string,
  set: { readonly migrations: readonly Migration[]; readonly applied: readonly LedgerRow[] },
): readonly Step[] {
  const { migrations, applied } = set
  const pending = pendingMigrations(schema, migrations, applied)
  if (goal.kind !== 'down') {
    const { to = Infinity, kind } = goal
    return pending
      .filter(({ id }) => id <= to)
      .map((migration) => ({
        migration,
        effect: 'add',
        runs: kind === 'up',
      }))
  }
  const had = new Set(applied.map(({ id }) => id))
  return migrations
    .filter(({ id }) => id > goal.to && id > 0 && had.has(id))
    .toReversed()
    .map((migration) => ({ migration: reverseOf(schema, migration), effect: 'remove', runs: true }))
}

const reverses = new WeakMap<Migration, Migration>()
const backwards = new WeakSet<Migration>()

/** Whether what a step runs takes a migration back. */
export function isReverse(migration: Migration): boolean {
  return backwards.has(migration)
}

function reverseOf(schema: string, migration: Migration): Migration {
  const known = reverses.get(migration)
  if (known !== undefined) return known
  const { down, downFile, code, file: _forward, ...rest } = migration
  if (down === undefined && code?.down === undefined) throw irreversible(schema, migration)
  const reverse = {
    ...rest,
    sql: down ?? '',
    ...(downFile !== undefined && { file: downFile }),
    ...(down === undefined && code?.down && { code: { up: code.down } }),
  }
  reverses.set(migration, reverse)
  backwards.add(reverse)
  return reverse
}

function irreversible(schema: string, { fileName }: Migration): TenantryError {
  return new TenantryError(
    'MIGRATION_IRREVERSIBLE',
    `${fileName} cannot be taken back in schema "${schema}": it has no reverse. Write ` +
      `down/${fileName}, or undo it by a new migration. Nothing was run.`,
    { schema, migration: fileName },
  )
}

/** What of the steps is committed together; `undefined` when there are none. */
export function firstSegment(
  steps: readonly Step[],
  atomicity: Atomicity = 'schema',
): Segment | undefined {
  const [first] = steps
  if (first === undefined) return undefined
  if (isAlone(first)) return { steps: [first], alone: true }
  const end = steps.findIndex(isAlone)
  const together = end === -1 ? steps : steps.slice(0, end)
  if (atomicity === 'schema') return { steps: together, alone: false }
  // The ledger's own table is no reason for a commit.
  return { steps: together.slice(0, first.migration.id === 0 ? 2 : 1), alone: false }
}

/** Whether all steps are one transaction. */
export function isAtomic(steps: readonly Step[], atomicity?: Atomicity): boolean {
  const real = steps.filter(({ migration }) => migration.id > 0)
  const segment = firstSegment(real, atomicity)
  return segment === undefined || (!segment.alone && segment.steps.length === real.length)
}

function isAlone({ migration, runs }: Step): boolean {
  return runs && needsNoTransaction(migration)
}
