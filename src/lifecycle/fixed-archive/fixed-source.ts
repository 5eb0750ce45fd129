import { bridgeOf, loadSets } from '../../migration/layout.js'
import { type SchemaState, readStates } from '../../migration/ledger.js'
import type { Migration } from '../../migration/source.js'
import type { SchemaName } from '../../names/schema-name.js'
import type { FleetSchema } from '../../selector/selector.js'
import type { FixedKind } from '../backup/archive-record.js'
import type { LifecycleParts } from '../create/create.js'

/** A shared or a static schema, as it was looked up. */
export interface FixedSource {
  readonly schema: SchemaName
  readonly kind: FixedKind
  readonly migrations: readonly Migration[]
  readonly state: SchemaState
}

/**
 * Looks shared and static schemas up; tenants are left aside.
 *
 * @returns those of which an archive can be written, and those whose structure is not made by
 * migrations of this package, or that are not there
 */
export async function findFixed(
  { layout, db }: LifecycleParts,
  schemas: readonly FleetSchema[],
): Promise<{ readonly found: readonly FixedSource[]; readonly left: readonly SchemaName[] }> {
  const setOf = await loadSets(layout)
  const fixed = schemas.flatMap(({ schema, kind }) => {
    if (kind === 'tenant') return []
    const isBridged = bridgeOf(layout, { schema, kind }) !== undefined
    return [{ schema, kind, migrations: isBridged ? [] : setOf({ schema, kind }) }]
  })
  const states = await readStates(db, fixed, true)
  const found = fixed.flatMap((source) => {
    const state = states.get(source.schema)
    return source.migrations.length > 0 && state?.exists === true ? [{ ...source, state }] : []
  })
  const names = new Set(found.map(({ schema }) => schema))
  return {
    found,
    left: fixed.flatMap(({ schema }) => (names.has(schema) ? [] : [schema])),
  }
}
