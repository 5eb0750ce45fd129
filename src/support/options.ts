import { TenantryError } from '../errors.js'

/**
 * Checks an option that counts something.
 *
 * @throws `OPTIONS_INVALID` for anything but a whole number of at least `least`.
 */
export function wholeNumber(option: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  const shown = typeof value === 'number' ? String(value) : typeof value
  throw new TenantryError(
    'OPTIONS_INVALID',
    `Option "${option}" must be a whole number of at least ${least}, not ${shown}.`,
    { option },
  )
}

/**
 * Checks an option that is either so or not; a text such as `'false'` would count as yes.
 *
 * @throws `OPTIONS_INVALID`
 */
export function yesOrNo(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw optionInvalid(option, `Option "${option}" must be true or false, not ${typeof value}.`)
}

/**
 * Checks an option that is a list of names; a text alone would be taken letter by letter.
 *
 * @throws `OPTIONS_INVALID`
 */
export function listOf<T>(option: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value
  throw optionInvalid(option, `Option "${option}" must be a list, for example ['a', 'b'].`)
}

/** The error for an option that cannot be used. */
export function optionInvalid(option: string, sentence: string): TenantryError {
  return new TenantryError('OPTIONS_INVALID', sentence, { option })
}
