import { toError } from '../postgres/sql-state.js'
import { type FleetSchema } from '../selector/selector.js'
import { type LedgerRow, type SchemaState, foreignLedger, newestId } from './ledger.js'
import { pendingMigrations } from './plan.js'
import { factsOf } from './schema-facts.js'
import type { Migration } from './source.js'
import { type Atomicity, type Goal, type Step, isAtomic, stepsTo } from './step.js'

/** How one schema stands against its migration set. */
export interface SchemaStatus {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  readonly exists: boolean
  /** Id of the newest migration that the schema has had; 0 for none. */
  readonly version: number
  /** File names of the migrations that it has had, tampered ones among them. */
  readonly applied: readonly string[]
  /** File names of the migrations that it still needs. */
  readonly pending: readonly string[]
  /** File names of the migrations that were changed after they ran here. */
  readonly tampered: readonly string[]
  /** Names of the migrations that ran here and that the set does not have. */
  readonly unknown: readonly string[]
  /** Why the schema cannot be migrated as it is: tampered, out of order, unknown. */
  readonly problem?: Error
}

/** What a run would do in one schema. */
export interface SchemaPlan {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  /** File names of the migrations that would run. */
  readonly run: readonly string[]
  /** Whether they would be one transaction. */
  readonly atomic: boolean
  /** Why the schema would fail before anything ran. */
  readonly problem?: Error
}

/** The state of a schema of which nothing was found. */
export const ABSENT: SchemaState = { exists: false, applied: [] }

/** The ledger's own table is no migration of the user's. */
export function fileNames(steps: readonly Migration[]): readonly string[] {
  return steps.filter(({ id }) => id > 0).map(({ fileName }) => fileName)
}

/** The steps of a schema, if its ledger can be trusted; one without a set is not ours to judge. */
export function stepsIn(
  { schema }: FleetSchema,
  { foreign, applied }: SchemaState,
  { migrations, goal }: { readonly migrations: readonly Migration[]; readonly goal: Goal },
): readonly Step[] {
  if (migrations.length === 0) return []
  if (foreign === true) throw foreignLedger(schema)
  return stepsTo(goal, schema, { migrations, applied })
}

/** How a schema stands. */
export function statusOf(
  schema: FleetSchema,
  state: SchemaState,
  migrations: readonly Migration[],
): SchemaStatus {
  const { exists, foreign } = state
  const version = newestId(state.applied)
  const base = { ...factsOf(schema), exists, version, ...compared(state.applied, migrations) }
  try {
    if (migrations.length === 0) return { ...base, pending: [] }
    if (foreign === true) throw foreignLedger(schema.schema)
    const pending = pendingMigrations(schema.schema, migrations, state.applied)
    return { ...base, pending: fileNames(pending) }
  } catch (error) {
    return { ...base, pending: [], problem: toError(error) }
  }
}

function compared(
  rows: readonly LedgerRow[],
  migrations: readonly Migration[],
): Pick<SchemaStatus, 'applied' | 'tampered' | 'unknown'> {
  const byId = new Map(migrations.map((migration) => [migration.id, migration]))
  const applied: Migration[] = []
  const tampered: string[] = []
  const unknown: string[] = []
  for (const { id, name, hash } of migrations.length > 0 ? rows : []) {
    const known = byId.get(id)
    if (known === undefined) unknown.push(name)
    else applied.push(known)
    if (known !== undefined && known.hash !== hash) tampered.push(known.fileName)
  }
  return { applied: fileNames(applied), tampered, unknown }
}

/** What a run would do in a schema. */
export function planOf(
  schema: FleetSchema,
  state: SchemaState,
  {
    atomicity,
    ...work
  }: {
    readonly migrations: readonly Migration[]
    readonly goal: Goal
    readonly atomicity: Atomicity | undefined
  },
): SchemaPlan {
  try {
    const steps = stepsIn(schema, state, work)
    const run = fileNames(steps.map(({ migration }) => migration))
    return { ...factsOf(schema), run, atomic: isAtomic(steps, atomicity) }
  } catch (error) {
    return { ...factsOf(schema), run: [], atomic: true, problem: toError(error) }
  }
}
