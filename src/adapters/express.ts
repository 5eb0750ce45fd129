/**
 * Middleware for Express and Connect.
 *
 * @module tenantry/express
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { nextOf } from './node/next.js'
import type { ServingRouter } from './request/found.js'
import type { ServeOptions } from './request/options.js'

export { placeOf, tenantOf } from './node/place-of.js'
export * from './request/exports.js'

/** A middleware for express 5 and 4, and for whatever takes the same ones. */
export type ExpressMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it answer for the
 * tenant until the response is closed, in handlers, body parsers, streams and error handlers alike.
 *
 * Register it before what needs a tenant; before body parsers or after them.
 *
 * @throws `OPTIONS_INVALID`; a refused request goes to the error handlers with `refusals: 'throw'`
 * @example
 * import express from 'express'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, tenantOf } from 'tenantry/express'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * export const app = express()
 *
 * app.use(serveTenants(router))
 * app.get('/loans', async (request, response) => {
 *   const { rows } = await router.pool.query('select * from loans')
 *   response.json({ lender: tenantOf(request)?.name, loans: rows })
 * })
 */
export function serveTenants<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options: ServeOptions<Request> = {},
): ExpressMiddleware<Request> {
  return nextOf(router, options)
}
