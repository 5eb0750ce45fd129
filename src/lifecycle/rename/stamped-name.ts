import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'

/** As long as a name may be. */
const MAX_LENGTH = 63

/** The name of a schema that is kept, such as `tenant_acme_replaced_20260101000000`, in UTC. */
export function stampedName(schema: SchemaName, why: 'replaced' | 'moved', now: Date): SchemaName {
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const end = `_${why}_${stamp}`
  return parseSchemaName(`${schema.slice(0, MAX_LENGTH - end.length)}${end}`)
}
