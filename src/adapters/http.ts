/**
 * A handler for `node:http`.
 *
 * @module tenantry/http
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { exchange } from './node/exchange.js'
import type { ServingRouter } from './request/found.js'
import { requestGate } from './request/gate.js'
import type { ServeOptions } from './request/options.js'
import { isError } from '../support/is-error.js'

export { serveUpgrades } from './node/upgrade.js'
export type { UpgradeListener, UpgradeOptions } from './node/upgrade.js'
export { placeOf, tenantOf } from './node/place-of.js'
export * from './request/exports.js'
export { requestGate } from './request/gate.js'
export type { RequestGate, Verdict } from './request/gate.js'

/** A listener for the event `request` of an HTTP server. */
export type HttpListener = (request: IncomingMessage, response: ServerResponse) => void

/** How requests of `node:http` are served. */
export interface HttpOptions extends ServeOptions<IncomingMessage> {
  /**
   * Answers a request that failed: what the handler throws, or rejects with, what the registry or a
   * resolver throws, and refusals with `refusals: 'throw'`.
   *
   * @defaultValue an answer with the status 500, and a warning of the process with the error
   */
  readonly onError?: (error: unknown, request: IncomingMessage, response: ServerResponse) => unknown
}

/**
 * Serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it answer for the
 * tenant until the response is closed.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { createServer } from 'node:http'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, tenantOf } from 'tenantry/http'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 *
 * export const server = createServer(
 *   serveTenants(router, {}, async (request, response) => {
 *     const { rows } = await router.pool.query('select * from loans')
 *     response.end(JSON.stringify({ lender: tenantOf(request)?.name, loans: rows }))
 *   }),
 * )
 */
export function serveTenants(
  router: ServingRouter<object>,
  options: HttpOptions,
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): HttpListener {
  const { onError = fail, ...rest } = options
  const gate = requestGate(router, rest)
  return (request, response) => {
    const failed = (error: unknown): unknown => onError(error, request, response)
    const enter = async (): Promise<void> => {
      // Caught here, so that the error is answered as the tenant.
      try {
        await handler(request, response)
      } catch (error) {
        await failed(error)
      }
    }
    exchange({ gate, shown: request, request, response }, enter).catch(failed)
  }
}

function fail(error: unknown, _request: IncomingMessage, response: ServerResponse): void {
  process.emitWarning(isError(error) ? error : String(error))
  if (response.headersSent) response.destroy()
  else response.writeHead(500, { 'content-length': 0 }).end()
}
