import { isTenantryError } from '../../errors.js'
import type { FleetSchema } from '../../selector/selector.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { ExtensionUse } from '../extensions/extension-check.js'
import { type DownOptions, type UpOptions, idOf } from './run-options.js'
import type { Selection } from '../selection.js'
import { stepsIn } from '../status.js'
import type { Goal, Step } from '../step.js'
import type { SchemaWork } from './work.js'

/** What a run wants of each schema. */
export type GoalOf = (schema: FleetSchema, selection: Selection) => Goal

/** Goals that lie ahead: all of the set, or up to one migration of it. */
export function forward(kind: 'up' | 'mark', to: UpOptions['to']): GoalOf {
  return (schema, { migrationsOf }) => {
    const set = migrationsOf(schema)
    return to === undefined || set.length === 0 ? { kind } : { kind, to: idOf(set, to) }
  }
}

/** Goals that lie behind: back to one migration, or by some steps. */
export function backward({ to, steps }: DownOptions): GoalOf {
  if (to !== undefined && steps !== undefined) {
    throw optionInvalid('steps', 'Give either "to" or "steps", not both.')
  }
  const count = wholeNumber('steps', steps ?? 1, 1)
  return (schema, { migrationsOf, stateOf }) => {
    const set = migrationsOf(schema)
    if (set.length === 0) return { kind: 'down', to: 0 }
    if (to !== undefined) return { kind: 'down', to: idOf(set, to) }
    const had = stateOf(schema).applied.map(({ id }) => id)
    return { kind: 'down', to: had.toSorted((a, b) => b - a)[count] ?? 0 }
  }
}

/** What a schema's steps may want of extensions. */
export function extensionUses(work: SchemaWork): readonly ExtensionUse[] {
  return stepsOrNone(work).flatMap(({ migration: { id }, effect, runs }) => {
    const migration = work.migrations.find((each) => each.id === id)
    if (migration === undefined || !runs) return []
    return [{ migration, way: effect === 'add' ? 'there' : 'back' }]
  })
}

/** What would be run in a schema; one that cannot be migrated as it is fails by itself, later. */
export function stepsOrNone(work: SchemaWork): readonly Step[] {
  // Most schemas of a run that is begun again have had everything.
  if (work.goal.kind !== 'down' && work.state.applied.length >= work.migrations.length) return []
  try {
    return stepsIn(work.schema, work.state, work)
  } catch {
    return []
  }
}

/** Other problems are the schema's own failure; a missing reverse is known before anything runs. */
export function requireReversible(work: SchemaWork): void {
  try {
    stepsIn(work.schema, work.state, work)
  } catch (error) {
    if (isTenantryError(error, 'MIGRATION_IRREVERSIBLE')) throw error
  }
}
