/**
 * Hands over a value that is there, although its type cannot say so: the first row of a statement that
 * always has one, or an element at an index that was counted before.
 *
 * @throws `TypeError` where it is missing after all, instead of going on with something else
 */
export function present<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) {
    throw new TypeError('A value is missing that cannot be missing; this is a mistake of tenantry.')
  }
  return value
}
