/** The value of a JSON text, or `undefined` for a text that is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Tells whether a value has members that can be asked for by their names. */
export function isRecord(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null
}

/** Tells whether a value is a JSON object: no list, and not null. */
export function isJsonObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return isRecord(input) && !Array.isArray(input)
}
