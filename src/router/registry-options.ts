import type { MetadataSchema } from '../registry/metadata-schema.js'
import type { TenantRegistry } from '../registry/registry.js'
import { optionInvalid } from '../support/options.js'

const METHODS = [
  'install',
  'findBySlug',
  'lookUp',
  'list',
  'insert',
  'update',
  'rename',
  'setStatus',
  'remove',
  'addDomain',
  'removeDomain',
  'setPrimaryDomain',
  'verifyDomain',
  'domainsOf',
] as const satisfies readonly (keyof TenantRegistry)[]

/**
 * Checks that a registry has all that will be called, some of which only months later.
 *
 * @throws `OPTIONS_INVALID`
 */
export function checkRegistry(registry: TenantRegistry<object>): TenantRegistry {
  const missing = METHODS.filter((name) => !isCallable(registry, name))
  if (isComplete(registry, missing)) return registry
  throw optionInvalid(
    'registry',
    `Option "registry" is no TenantRegistry: it has no method ${missing.join(', ')}. Add what is ` +
      'missing, or make one with mappedRegistry().',
  )
}

function isCallable(registry: unknown, name: string): boolean {
  if (typeof registry !== 'object' || registry === null) return false
  return typeof Reflect.get(registry, name) === 'function'
}

function isComplete(
  _registry: TenantRegistry<object>,
  missing: readonly string[],
): _registry is TenantRegistry {
  return missing.length === 0
}

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
  return 'version' in standard && standard.version === 1 && isCallable(standard, 'validate')
}
