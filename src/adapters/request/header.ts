import { type RequestHeaders, isFinder } from '../../router/request-address.js'

/** The values of a header; more than one where it was sent several times. */
export function headerValues(headers: RequestHeaders, name: string): readonly string[] {
  const value = isFinder(headers) ? (headers.get(name) ?? undefined) : headers[name.toLowerCase()]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}
