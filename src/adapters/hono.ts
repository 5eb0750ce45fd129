/**
 * Middleware for Hono.
 *
 * @module tenantry/hono
 */

import type { EventEmitter } from 'node:events'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { Ambience } from './node/ambient.js'
import { keepWebReading } from './node/web-body.js'
import { pathOfTarget } from './request/address.js'
import type { AskedRequest, ServingRouter } from './request/found.js'
import { requestGate } from './request/gate.js'
import type { ServeOptions } from './request/options.js'
import { pass } from './request/pass.js'
import { type RequestPlace, placeAt, setPlace, tenantAt } from './request/place.js'

export * from './request/exports.js'

/** What the adapter needs of hono's context. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request }
  readonly env: unknown
  readonly res: Response
  set(key: 'tenant', value: unknown): void
}

/** The variables that the adapter sets: `new Hono<{ Variables: TenantVariables }>()`. */
export interface TenantVariables<Metadata extends object = TenantMetadata> {
  /** `undefined` for a request that is not a tenant's. */
  readonly tenant: Tenant<Metadata> | undefined
}

/** How requests of hono are served. */
export interface HonoOptions<Context> extends ServeOptions<Context> {
  /**
   * The app, where prefixes are to be stripped: hono has chosen the handlers by the URL before a
   * middleware runs, so the app is asked again, by the URL without the prefix. Without it, handlers
   * are chosen by the whole URL.
   */
  readonly app?: { fetch(request: Request, env: unknown): Response | Promise<Response> }
}

/** A middleware for hono. */
export type HonoMiddleware<Context> = (
  context: Context,
  next: () => Promise<void>,
) => Promise<Response | undefined>

/**
 * Serves each request as its tenant: `router.current()`, `router.pool` and ORMs on it answer for the
 * tenant in all middlewares and handlers behind this one, and in a body that is streamed. The tenant
 * is `c.var.tenant`, too. Works on Node.
 *
 * @throws `OPTIONS_INVALID`; a refused request is thrown with `refusals: 'throw'`
 * @example
 * import { serve } from '@hono/node-server'
 * import { Hono } from 'hono'
 * import { SchemaRouter } from 'tenantry'
 * import { serveTenants, type TenantVariables } from 'tenantry/hono'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * const app = new Hono<{ Variables: TenantVariables }>()
 *
 * app.use(serveTenants(router, { app }))
 * app.get('/loans', async (c) => {
 *   const { rows } = await router.pool.query('select * from loans')
 *   return c.json({ lender: c.var.tenant?.name, loans: rows })
 * })
 * serve(app)
 */
export function serveTenants<Context extends HonoContextLike = HonoContextLike>(
  router: ServingRouter<object>,
  options: HonoOptions<Context> = {},
): HonoMiddleware<Context> {
  const { app, ...rest } = options
  const gate = requestGate<Context>(
    router,
    app === undefined ? { ...rest, stripPrefix: false } : rest,
  )
  const askedAgain = new WeakMap<Request, RequestPlace | undefined>()
  return (context, next) => {
    const { raw } = context.req
    if (askedAgain.has(raw)) return goOn(context, askedAgain.get(raw), next)
    const asked = askedOf(context)
    return pass<Context, Response | undefined>(gate, asked, {
      enter: async ({ place, url }) => {
        const ambience = new Ambience()
        keepNodeListeners(context.env, ambience)
        if (app === undefined || url === asked.url) {
          await goOn(context, place, next)
          const { body } = context.res
          if (body !== null) keepWebReading(body, ambience)
          return undefined
        }
        const again = requestAt(url, raw)
        askedAgain.set(again, place)
        const response = await app.fetch(again, context.env)
        if (response.body !== null) keepWebReading(response.body, ambience)
        return response
      },
      answer: ({ status, headers, body }) => new Response(body, { status, headers }),
    })
  }
}

async function goOn(
  context: HonoContextLike,
  place: RequestPlace | undefined,
  next: () => Promise<void>,
): Promise<undefined> {
  setPlace(context, place)
  context.set('tenant', tenantAt(context))
  await next()
}

function askedOf<Context extends HonoContextLike>(context: Context): AskedRequest<Context> {
  const { method, url, headers } = context.req.raw
  return { request: context, method, url: pathOfTarget(url), headers }
}

/** The same request by another path. */
function requestAt(path: string, { url, method, headers, body, signal }: Request): Request {
  const init = { method, headers, signal, ...(body && { body, duplex: 'half' as const }) }
  return new Request(new URL(url).origin + path, init)
}

/** On Node, a context has the request and the response of Node, which some middlewares listen to. */
function keepNodeListeners(env: unknown, ambience: Ambience): void {
  if (typeof env !== 'object' || env === null) return
  for (const name of ['incoming', 'outgoing']) {
    const emitter: unknown = Reflect.get(env, name)
    if (isEmitter(emitter)) ambience.keepListeners(emitter)
  }
}

function isEmitter(value: unknown): value is Pick<EventEmitter, 'emit'> {
  if (typeof value !== 'object' || value === null) return false
  return typeof Reflect.get(value, 'emit') === 'function'
}

/**
 * The tenant that a request is served as; `undefined` for one that is not a tenant's.
 *
 * @example
 * import type { Context } from 'hono'
 * import { tenantOf } from 'tenantry/hono'
 *
 * const planOf = (context: Context) => tenantOf<{ plan: string }>(context)?.metadata.plan
 */
export function tenantOf<Metadata extends object = TenantMetadata>(
  context: object,
): Tenant<Metadata> | undefined {
  return tenantAt(context)
}

/**
 * The tenant, or the static or shared schema, that a request is served as.
 *
 * @example
 * import type { Context } from 'hono'
 * import { placeOf } from 'tenantry/hono'
 *
 * const isShared = (context: Context) => placeOf(context)?.kind === 'shared'
 */
export function placeOf<Metadata extends object = TenantMetadata>(
  context: object,
): RequestPlace<Metadata> | undefined {
  return placeAt(context)
}
