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
 * Checks an option that is a list of names; a text alone would be taken letter by letter.
 *
 * @throws `OPTIONS_INVALID`
 */
export function listOf<T>(option: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value
  throw optionInvalid(option, `Option "${option}" must be a list, for example ['a', 'b'].`)
}

/**
 * Checks an option that is either on or off; a text such as `'false'` would be taken for on.
 *
 * @throws `OPTIONS_INVALID`
 */
export function flag(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw optionInvalid(option, `Option "${option}" must be true or false.`)
}

/**
 * Checks an option that names a program.
 *
 * @throws `OPTIONS_INVALID`
 */
export function programPath(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw optionInvalid(option, `Option "${option}" must be the path of a program.`)
}

/**
 * Checks what a method is to call: a promise or a list is given easily where a function belongs.
 *
 * @throws `OPTIONS_INVALID`
 */
export function requireFunction(
  method: string,
  given: unknown,
): asserts given is (...args: never) => unknown {
  if (typeof given === 'function') return
  throw optionInvalid(
    'fn',
    `${method} needs a function. Give it what is to be done as one, such as async () => { … }.`,
  )
}

/** The error for an option that cannot be used. */
export function optionInvalid(option: string, sentence: string): TenantryError {
  return new TenantryError('OPTIONS_INVALID', sentence, { option })
}

/**
 * Refuses what is misspelt: it would be ignored.
 *
 * @throws `OPTIONS_INVALID`
 */
export function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw optionInvalid(
    where + unknown,
    `Option "${where}${unknown}" does not exist. Use one of ${known.join(', ')}.`,
  )
}
