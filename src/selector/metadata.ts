import { isDeepStrictEqual } from 'node:util'
import { isJsonObject } from '../support/json.js'

/** Tells whether a JSON value has all that is wanted: objects by their keys, the rest as equals. */
export function containsJson(actual: unknown, wanted: unknown): boolean {
  if (!isJsonObject(actual) || !isJsonObject(wanted)) return isDeepStrictEqual(actual, wanted)
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(actual, key) && containsJson(actual[key], value),
  )
}
