import { nameInvalid } from './name-error.js'
import { MAX_IDENTIFIER_BYTES, type SchemaName, parseSchemaName } from './schema-name.js'

declare const slug: unique symbol

/** A tenant's stable key that was checked by `parseSlug`. */
export type Slug = string & { readonly [slug]: true }

const RULE = 'use 1 to 63 of a-z, 0-9, - and _, and begin and end with a letter or a digit'
const PATTERN = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/

/**
 * Checks a tenant's slug and brands it.
 *
 * @throws `NAME_INVALID`
 */
export function parseSlug(input: unknown): Slug {
  if (isSlug(input)) return input
  throw nameInvalid('slug', input, RULE)
}

/** Tells whether a text obeys the rule of slugs. */
export function isSlug(input: unknown): input is Slug {
  return typeof input === 'string' && input.length <= MAX_IDENTIFIER_BYTES && PATTERN.test(input)
}

/**
 * The schema of a tenant: the prefix followed by the slug, letter by letter.
 *
 * No character is replaced, so two slugs can never share a schema.
 *
 * @throws `NAME_INVALID` when both together are longer than PostgreSQL's 63 bytes.
 */
export function schemaOfSlug(prefix: string, tenantSlug: Slug): SchemaName {
  return parseSchemaName(prefix + tenantSlug)
}
