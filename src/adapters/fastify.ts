/**
 * A plugin for Fastify.
 *
 * @module tenantry/fastify
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { askedOf, enterNode } from './node/exchange.js'
import type { ServingRouter } from './request/found.js'
import { type RequestGate, requestGate } from './request/gate.js'
import type { ServeOptions } from './request/options.js'
import { pass } from './request/pass.js'
import { type RequestPlace, placeAt, tenantAt } from './request/place.js'

export { serveUpgrades } from './node/upgrade.js'
export type { UpgradeListener, UpgradeOptions } from './node/upgrade.js'
export * from './request/exports.js'

/** What the adapter needs of fastify's request. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

/** What the adapter needs of fastify's reply. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(body: string): unknown
  hijack(): unknown
}

/** What the adapter needs of a fastify instance. */
export interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (
      request: FastifyRequestLike,
      reply: FastifyReplyLike,
      done: (error?: Error) => void,
    ) => void,
  ): unknown
  routing(request: IncomingMessage, response: ServerResponse): void
}

/** A plugin that fastify registers. */
export type FastifyPlugin = (app: FastifyLike, options: object, done: () => void) => void

/**
 * A plugin that serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it
 * answer for the tenant in later hooks, body parsers, handlers, streams and the error handler.
 *
 * It adds a hook `onRequest` to the instance that it is registered on, and to the plugins in it.
 * Where the URL has a prefix to be stripped, the request is routed a second time without it.
 *
 * @throws `OPTIONS_INVALID`; a refused request goes to the error handler with `refusals: 'throw'`
 * @example
 * import fastify from 'fastify'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, tenantOf } from 'tenantry/fastify'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * export const app = fastify()
 *
 * await app.register(serveTenants(router))
 * app.get('/loans', async (request) => {
 *   const { rows } = await router.pool.query('select * from loans')
 *   return { lender: tenantOf(request)?.name, loans: rows }
 * })
 */
export function serveTenants<Request extends FastifyRequestLike = FastifyRequestLike>(
  router: ServingRouter<object>,
  options: ServeOptions<Request> = {},
): FastifyPlugin {
  const gate = requestGate(router, options)
  const routedAgain = new WeakSet<IncomingMessage>()
  const plugin: FastifyPlugin = (app, _options, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      // Only the type of the request is the service's own; fastify hands in what it has made.
      const parts = { gate, app, routedAgain, request: request as Request, reply }
      admit(parts, next)
    })
    done()
  }
  // The hook is for the instance that registers the plugin, not for one of its own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'tenantry',
  })
}

interface Parts<Request extends FastifyRequestLike> {
  readonly gate: RequestGate<Request>
  readonly app: FastifyLike
  readonly routedAgain: WeakSet<IncomingMessage>
  readonly request: Request
  readonly reply: FastifyReplyLike
}

function admit<Request extends FastifyRequestLike>(
  { gate, app, routedAgain, request, reply }: Parts<Request>,
  next: (error?: Error) => void,
): void {
  const { raw } = request
  // It came in by its prefix, and runs as its tenant already.
  if (routedAgain.delete(raw)) return next()
  let isInside = false
  pass<Request, unknown>(gate, askedOf(request, raw), {
    enter: (verdict) => {
      isInside = true
      const before = raw.url
      enterNode(verdict, raw, reply.raw)
      if (raw.url === before) return next()
      reply.hijack()
      routedAgain.add(raw)
      return app.routing(raw, reply.raw)
    },
    answer: ({ status, headers, body }) => {
      reply.code(status)
      reply.headers({ ...headers })
      reply.send(body)
    },
  }).catch((error: Error) => {
    if (isInside) throw error
    next(error)
  })
}

/**
 * The tenant that a request is served as; `undefined` for one that is not a tenant's.
 *
 * @example
 * import type { FastifyRequest } from 'fastify'
 * import { tenantOf } from 'tenantry/fastify'
 *
 * const planOf = (request: FastifyRequest) => tenantOf<{ plan: string }>(request)?.metadata.plan
 */
export function tenantOf<Metadata extends object = TenantMetadata>(
  request: FastifyRequestLike,
): Tenant<Metadata> | undefined {
  return tenantAt(request.raw)
}

/**
 * The tenant, or the static or shared schema, that a request is served as.
 *
 * @example
 * import type { FastifyRequest } from 'fastify'
 * import { placeOf } from 'tenantry/fastify'
 *
 * const isShared = (request: FastifyRequest) => placeOf(request)?.kind === 'shared'
 */
export function placeOf<Metadata extends object = TenantMetadata>(
  request: FastifyRequestLike,
): RequestPlace<Metadata> | undefined {
  return placeAt(request.raw)
}
