import { type MetadataIssue, TenantryError } from '../errors.js'
import type { MetadataSchema, SchemaIssue } from '../registry/metadata-schema.js'
import type { TenantMetadata } from '../registry/tenant.js'
import { firstFew } from '../support/first-few.js'
import { isJsonObject } from '../support/json.js'
import { optionInvalid } from '../support/options.js'

/** Checks that metadata are a JSON object. */
export function checkMetadata(metadata: unknown = {}): TenantMetadata {
  if (isJsonObject(metadata)) return metadata
  throw optionInvalid('metadata', 'Option "metadata" must be a JSON object.')
}

/**
 * Has metadata validated by the service's schema, if there is one.
 *
 * @returns what the schema makes of them, which is what is kept.
 * @throws `METADATA_INVALID` with the issues
 */
export async function validMetadata(
  { metadata: schema }: { readonly metadata: MetadataSchema | undefined },
  { tenant, metadata }: { readonly tenant: string; readonly metadata: TenantMetadata },
): Promise<TenantMetadata> {
  if (schema === undefined) return metadata
  const result = await schema['~standard'].validate(metadata)
  if (result.issues !== undefined) throw refused(tenant, Array.from(result.issues, issueOf))
  if (isJsonObject(result.value)) return result.value
  throw refused(tenant, [{ path: [], message: 'What the schema makes of them is no object.' }])
}

function issueOf({ message, path = [] }: SchemaIssue): MetadataIssue {
  // Lists of some libraries are more than arrays, and so is what their `map` makes.
  const keys = Array.from(path, (part) => (typeof part === 'object' ? part.key : part))
  return { message, path: keys.map((key) => (typeof key === 'symbol' ? String(key) : key)) }
}

function refused(tenant: string, issues: readonly MetadataIssue[]): TenantryError {
  const texts = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  return new TenantryError(
    'METADATA_INVALID',
    `The metadata of tenant "${tenant}" are refused by the schema that the router was given, and ` +
      `nothing was changed. ${firstFew(texts, '; ')}`,
    { tenant, option: 'metadata', issues },
  )
}
