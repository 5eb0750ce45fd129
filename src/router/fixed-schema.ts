import type { SchemaLayout } from '../migration/layout.js'
import { type SchemaName, parseSchemaName } from '../names/schema-name.js'
import { unknownSchema } from './refusal.js'

/** The shared schema, or a static one. */
export interface FixedSchema {
  readonly schema: SchemaName
  readonly kind: 'shared' | 'static'
}

/**
 * A schema of the configuration by its name.
 *
 * @throws `NAME_INVALID`, and `OPTIONS_INVALID` for one that is not configured
 */
export function fixedSchema(layout: SchemaLayout, name: string): FixedSchema {
  const schema = parseSchemaName(name)
  if (schema === layout.shared.schema) return { schema, kind: 'shared' }
  if (layout.static.has(schema)) return { schema, kind: 'static' }
  throw unknownSchema(schema)
}
