import { TenantryError } from '../../errors.js'
import type { SchemaLayout } from '../../migration/layout.js'
import { nameInvalid } from '../../names/name-error.js'
import type { SchemaName } from '../../names/schema-name.js'
import { sparePrefix } from '../../names/spare-name.js'

/**
 * Checks a name for a tenant's schema that is not made of the prefix and the slug.
 *
 * @throws `NAME_INVALID` when it is called like a spare
 * @throws `SCHEMA_EXISTS` when it is the shared schema's, a static one's or one that tenants search
 */
export function requireFreeSchema(layout: SchemaLayout, schema: SchemaName): SchemaName {
  const { shared, static: statics, tenants } = layout
  const reserved = sparePrefix(tenants.prefix)
  if (schema.startsWith(reserved)) {
    throw nameInvalid('schema name', schema, `names that begin with "${reserved}" are for spares`)
  }
  const isTaken = schema === shared.schema || statics.has(schema) || tenants.extras.includes(schema)
  if (!isTaken) return schema
  throw new TenantryError(
    'SCHEMA_EXISTS',
    `Schema "${schema}" is no tenant's: it is the shared schema, a static one, or one that all ` +
      'tenants search. Choose another name.',
    { schema },
  )
}
