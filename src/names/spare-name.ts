import { randomBytes } from 'node:crypto'
import { type SchemaName, parseSchemaName } from './schema-name.js'

/**
 * What the name of a spare has after the tenants' prefix. No slug begins with a line, so no tenant's
 * schema is ever called like a spare.
 */
const MARK = '_spare_'
const RANDOM_BYTES = 6

/** What the names of all spares begin with. */
export function sparePrefix(prefix: string): string {
  return prefix + MARK
}

/**
 * A name for a new spare, which no other has.
 *
 * @throws `NAME_INVALID` when the tenants' prefix leaves no room for it.
 */
export function spareName(prefix: string): SchemaName {
  return parseSchemaName(sparePrefix(prefix) + randomBytes(RANDOM_BYTES).toString('hex'))
}
