import type { MetadataSchema } from '../registry/metadata-schema.js'
import { hasMethod } from '../support/has-method.js'
import { optionInvalid } from '../support/options.js'

/**
 * Checks that a schema can be asked.
 *
 * @throws `OPTIONS_INVALID`
 */
export function checkMetadataSchema(
  schema: MetadataSchema | undefined,
): MetadataSchema | undefined {
  if (schema === undefined || isStandard(schema)) return schema
  throw optionInvalid(
    'metadata',
    'Option "metadata" must be a schema of a library that implements Standard Schema, such as ' +
      'z.object({ plan: z.string() }) of zod.',
  )
}

function isStandard(schema: unknown): boolean {
  // A schema of arktype is a function.
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false
  const standard: unknown = Reflect.get(schema, '~standard')
  if (typeof standard !== 'object' || standard === null) return false
  return 'version' in standard && standard.version === 1 && hasMethod(standard, 'validate')
}
