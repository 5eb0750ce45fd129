import { listOf, optionInvalid, refuseUnknown } from '../../support/options.js'
import type { GuardRules } from './guard.js'

/**
 * What migrations may change outside of their schema: anything in the schemas that `allow` names;
 * with `false` nobody looks.
 */
export type GuardOption = { readonly allow: readonly string[] } | false

/**
 * Checks the option `guard`; without it nothing outside may be changed.
 *
 * @returns `undefined` where nobody is to look.
 * @throws `OPTIONS_INVALID`
 */
export function resolveGuard(guard: GuardOption = { allow: [] }): GuardRules | undefined {
  if (guard === false) return undefined
  if (typeof guard !== 'object' || guard === null || !Array.isArray(guard.allow)) {
    throw optionInvalid('guard', `Option "guard" must be false or { allow: ['a_schema'] }.`)
  }
  refuseUnknown('guard.', guard, ['allow'])
  return { allow: listOf('guard.allow', guard.allow).map(checkName) }
}

/** These schemas are no tenants', so they may have names that the package gives to none. */
function checkName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw optionInvalid(
    'guard.allow',
    `Option "guard.allow" must be a list of names of schemas, for example ['reports'].`,
  )
}
