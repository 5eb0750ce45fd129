import type { FleetSchema } from '../../selector/selector.js'
import type { SchemaLayout } from '../layout.js'
import type { SchemaState } from '../ledger.js'
import type { Migration } from '../source.js'
import type { ReferenceSet } from './reference.js'
import { present } from '../../support/present.js'

/** The sets that references are built of. */
export interface ReferenceSets {
  /** The set of a schema, which is then built as far as that schema has had it. */
  take(schema: FleetSchema, had: Pick<SchemaState, 'applied'>): ReferenceSet
  /** The sets to be built: those asked for, and those that they may need. */
  needed(): readonly ReferenceSet[]
}

/** Notes which sets are needed, and how far, to have a reference for each schema that is taken. */
export function referenceSets(
  layout: SchemaLayout,
  migrationsOf: (schema: FleetSchema) => readonly Migration[],
): ReferenceSets {
  const makeSet = (schema: FleetSchema): ReferenceSet & { readonly counts: Set<number> } => ({
    schema: schema.kind === 'tenant' ? undefined : schema.schema,
    kind: schema.kind,
    migrations: migrationsOf(schema),
    counts: new Set(),
  })
  const shared: FleetSchema = { schema: layout.shared.schema, kind: 'shared' }
  const fixed = [
    shared,
    ...[...layout.static.keys()].map((schema): FleetSchema => ({ schema, kind: 'static' })),
  ].map(makeSet)
  const tenants = makeSet({ ...shared, kind: 'tenant' })
  return {
    take: ({ kind, schema }, { applied }) => {
      const set =
        kind === 'tenant' ? tenants : present(fixed.find((each) => each.schema === schema))
      set.counts.add(applied.length)
      return set
    },
    needed: () => [...fixed, ...(tenants.counts.size > 0 ? [tenants] : [])],
  }
}
