/** What of a request says where it leads. */
export interface RequestAddress {
  /** The `Host` header, with or without a port. @defaultValue the one in `headers` */
  readonly host?: string | undefined
  /** The path of the URL, with or without its query. @defaultValue `'/'` */
  readonly path?: string | undefined
  /** The headers of the request, as Node or as `fetch` has them. */
  readonly headers?: RequestHeaders | undefined
}

/** Headers by name in lower case, or an object that finds them. */
export type RequestHeaders =
  | { readonly [name: string]: string | readonly string[] | undefined }
  | { get(name: string): string | null }

/**
 * The text that says which host a request is for.
 *
 * @param trustForwarded Whether a proxy sets `x-forwarded-host`; the first of several is the
 * client's.
 */
export function hostTextOf(request: RequestAddress, trustForwarded: boolean): string | undefined {
  const { host, headers } = request
  if (host !== undefined || headers === undefined) return host
  const forwarded = trustForwarded ? header(headers, 'x-forwarded-host')?.split(',')[0] : undefined
  return forwarded ?? header(headers, ':authority') ?? header(headers, 'host')
}

function header(headers: RequestHeaders, name: string): string | undefined {
  // What finds headers refuses names that are none, such as the one of HTTP/2.
  if (isFinder(headers)) return name.startsWith(':') ? undefined : (headers.get(name) ?? undefined)
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Tells whether headers are such an object, as those of `fetch` are. */
export function isFinder(headers: RequestHeaders): headers is { get(name: string): string | null } {
  return typeof headers['get'] === 'function'
}
