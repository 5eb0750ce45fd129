import type { TenantHooks } from '../lifecycle/hooks.js'
import { optionInvalid, refuseUnknown } from '../support/options.js'

const HOOK_NAMES: readonly (keyof TenantHooks)[] = [
  'beforeCreate',
  'beforeMigrate',
  'afterMigrate',
  'afterCreate',
  'beforeDelete',
  'afterDelete',
  'beforePurge',
  'afterPurge',
]

/**
 * Checks the hooks of a service: a misspelt one would never be called.
 *
 * @throws `OPTIONS_INVALID`
 */
export function checkHooks(hooks: TenantHooks): TenantHooks {
  refuseUnknown('hooks.', hooks, HOOK_NAMES)
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook === undefined || typeof hook === 'function') continue
    throw optionInvalid(`hooks.${name}`, `Option "hooks.${name}" must be a function.`)
  }
  return hooks
}
