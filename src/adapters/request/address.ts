import type { Domain } from '../../registry/tenant.js'
import { headerValues } from './header.js'
import type { AskedRequest } from './found.js'

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i
const PORT = /:(\d{1,5})$/

/** Path and query of a request's target: a proxy's client sends the whole URL, and OPTIONS may send `*`. */
export function pathOfTarget(target: string | undefined): string {
  const path = (target ?? '/').replace(ORIGIN, '')
  if (path.startsWith('/')) return path
  return path.startsWith('?') ? `/${path}` : '/'
}

/** What is left of a URL without the prefix that led to the tenant. */
export function withoutPrefix(url: string, prefix: string): string {
  const rest = url.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/**
 * Where the same page is on another domain.
 *
 * The URL has no scheme, so that the client keeps the one it came by, whatever ends TLS in between.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-4.2
 */
export function addressOn(domain: Domain, asked: AskedRequest, prefix: string): string {
  const rest = withoutPrefix(asked.url, prefix)
  const path = domain.path !== '' && rest === '/' ? domain.path : domain.path + rest
  return `//${domain.host}${portOf(asked)}${path}`
}

/** The port of a host that a proxy has passed on is the proxy's own business. */
function portOf({ headers }: AskedRequest): string {
  if (headerValues(headers, 'x-forwarded-host').length > 0) return ''
  const [host = ''] = headerValues(headers, 'host')
  return PORT.exec(host)?.[0] ?? ''
}
