import type { TenantRegistry } from '../registry/registry.js'
import { hasMethod } from '../support/has-method.js'
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
  const missing = METHODS.filter((name) => !hasMethod(registry, name))
  if (isComplete(registry, missing)) return registry
  throw optionInvalid(
    'registry',
    `Option "registry" is no TenantRegistry: it has no method ${missing.join(', ')}. Add what is ` +
      'missing, or make one with mappedRegistry().',
  )
}

function isComplete(
  _registry: TenantRegistry<object>,
  missing: readonly string[],
): _registry is TenantRegistry {
  return missing.length === 0
}
