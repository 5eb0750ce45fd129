import { TenantryError } from '../errors.js'

/** Shows a refused name so that invisible characters can be seen, and a long one stays readable. */
function show(input: unknown): string {
  if (typeof input !== 'string') return typeof input
  return JSON.stringify(input.length > 80 ? `${input.slice(0, 80)}…` : input)
}

/** The error for a name that breaks its rule. */
export function nameInvalid(what: string, input: unknown, rule: string): TenantryError {
  return new TenantryError('NAME_INVALID', `${show(input)} is not a valid ${what}: ${rule}.`, {
    option: what,
  })
}
