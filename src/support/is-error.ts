import { types } from 'node:util'

/**
 * Tells whether something thrown is an error.
 *
 * Jest runs code in a realm of its own, in which Node's errors, such as those of `node:fs`, are no
 * instances of `Error`. https://github.com/jestjs/jest/issues/2549
 */
export function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown)
}

/** What something thrown says. */
export function reasonOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown)
}
