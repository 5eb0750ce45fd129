import { type SchemaLayout, extrasOf } from '../../migration/layout.js'

/** The schemas of a service that can be no tenant's. */
export function reservedSchemas(layout: SchemaLayout): ReadonlySet<string> {
  const { shared, static: statics } = layout
  return new Set<string>([shared.schema, ...statics.keys(), ...extrasOf(layout, 'tenant')])
}
