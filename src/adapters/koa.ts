/**
 * Middleware for Koa.
 *
 * @module tenantry/koa
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { isReadable } from './node/ambient.js'
import { askedOf, enterNode } from './node/exchange.js'
import type { ServingRouter } from './request/found.js'
import { requestGate } from './request/gate.js'
import type { ServeOptions } from './request/options.js'
import { pass } from './request/pass.js'
import { type RequestPlace, placeAt, tenantAt } from './request/place.js'

export * from './request/exports.js'

/** What the adapter needs of koa's context. */
export interface KoaContextLike {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  status: number
  body: unknown
  set(headers: Record<string, string>): unknown
}

/** A middleware for koa. */
export type KoaMiddleware<Context extends KoaContextLike = KoaContextLike> = (
  context: Context,
  next: () => Promise<unknown>,
) => Promise<void>

/**
 * Serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it answer for the
 * tenant in all middlewares behind this one, and in a body that is a stream.
 *
 * A middleware that handles errors is in scope if it comes after this one.
 *
 * @throws `OPTIONS_INVALID`; a refused request is thrown with `refusals: 'throw'`
 * @example
 * import Koa from 'koa'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, tenantOf } from 'tenantry/koa'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * export const app = new Koa()
 *
 * app.use(serveTenants(router))
 * app.use(async (context) => {
 *   const { rows } = await router.pool.query('select * from loans')
 *   context.body = { lender: tenantOf(context)?.name, loans: rows }
 * })
 */
export function serveTenants<Context extends KoaContextLike = KoaContextLike>(
  router: ServingRouter<object>,
  options: ServeOptions<Context> = {},
): KoaMiddleware<Context> {
  const gate = requestGate(router, options)
  return (context, next) =>
    pass<Context, void>(gate, askedOf(context, context.req), {
      enter: async (verdict) => {
        const ambience = enterNode(verdict, context.req, context.res)
        await next()
        // Koa reads it when all middlewares are through, and the scope with them.
        if (isReadable(context.body)) ambience.keepReading(context.body)
      },
      answer: ({ status, headers, body }) => {
        context.status = status
        context.set({ ...headers })
        context.body = body
      },
    })
}

/**
 * The tenant that a request is served as; `undefined` for one that is not a tenant's.
 *
 * @example
 * import type { Context } from 'koa'
 * import { tenantOf } from 'tenantry/koa'
 *
 * const planOf = (context: Context) => tenantOf<{ plan: string }>(context)?.metadata.plan
 */
export function tenantOf<Metadata extends object = TenantMetadata>(
  context: Pick<KoaContextLike, 'req'>,
): Tenant<Metadata> | undefined {
  return tenantAt(context.req)
}

/**
 * The tenant, or the static or shared schema, that a request is served as.
 *
 * @example
 * import type { Context } from 'koa'
 * import { placeOf } from 'tenantry/koa'
 *
 * const isShared = (context: Context) => placeOf(context)?.kind === 'shared'
 */
export function placeOf<Metadata extends object = TenantMetadata>(
  context: Pick<KoaContextLike, 'req'>,
): RequestPlace<Metadata> | undefined {
  return placeAt(context.req)
}
