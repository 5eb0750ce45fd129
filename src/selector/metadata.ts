import { isDeepStrictEqual } from 'node:util'

/** Tells whether a JSON value has all that is wanted: objects by their keys, the rest as equals. */
export function containsJson(actual: unknown, wanted: unknown): boolean {
  if (!isRecord(actual) || !isRecord(wanted)) return isDeepStrictEqual(actual, wanted)
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(actual, key) && containsJson(actual[key], value),
  )
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
