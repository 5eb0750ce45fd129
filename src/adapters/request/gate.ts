import { isTenantryError } from '../../errors.js'
import { typed } from '../../registry/tenant.js'
import { addressOn, withoutPrefix } from './address.js'
import { type AskedRequest, type Found, type ServingRouter, findWith } from './found.js'
import { type ResolvedServeOptions, type ServeOptions, resolveServeOptions } from './options.js'
import type { RequestPlace } from './place.js'
import { type Refusal, isRefusalCode, refusal } from './refusal.js'

/** What becomes of a request. */
export type Verdict =
  | {
      readonly kind: 'serve'
      /** `undefined` where it is passed on without a schema. */
      readonly place: RequestPlace | undefined
      /** Path and query as the app is to see them. */
      readonly url: string
      /** Runs `fn`, and all that it calls and awaits, as what the request is served as. */
      readonly run: <R>(fn: () => R | Promise<R>) => Promise<R>
    }
  | { readonly kind: 'redirect'; readonly status: 307; readonly location: string }
  | { readonly kind: 'refuse'; readonly error: Refusal }

/** Decides what becomes of requests. */
export interface RequestGate<Request = unknown> {
  /** Who answers refusals. */
  readonly refusals: 'answer' | 'throw'
  /**
   * Decides about one request; rejects only where the registry cannot be asked, or with what a
   * resolver of yours throws.
   */
  readonly admit: (asked: AskedRequest<Request>) => Promise<Verdict>
}

/**
 * What every adapter is made of: finds the tenant of a request, and decides what becomes of it. Use
 * it to write an adapter for another framework, and test that one with `testFrameworkAdapter` of
 * `tenantry/testing`.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { SchemaRouter } from 'tenantry'
 * import { requestGate } from 'tenantry/http'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * const gate = requestGate(router)
 *
 * export async function answer(request: Request, app: () => Promise<Response>): Promise<Response> {
 *   const { method, headers, url } = request
 *   const { pathname, search } = new URL(url)
 *   const verdict = await gate.admit({ request, method, headers, url: pathname + search })
 *   if (verdict.kind === 'serve') return verdict.run(app)
 *   return new Response(null, { status: verdict.kind === 'redirect' ? 307 : verdict.error.status })
 * }
 */
export function requestGate<Request = unknown>(
  router: ServingRouter<object>,
  options: ServeOptions<Request> = {},
): RequestGate<Request> {
  const settings = resolveServeOptions(options)
  const shared = sharedSchemaOf(router)
  const admit = async (asked: AskedRequest<Request>): Promise<Verdict> => {
    const found = await findWith(settings.tenant, asked, router)
    return decide({ settings, router, shared }, found, asked)
  }
  return { refusals: settings.refusals, admit }
}

interface GateParts {
  readonly settings: ResolvedServeOptions<never>
  readonly router: ServingRouter<object>
  readonly shared: () => Promise<string>
}

/** The router knows its name; asked for with the first request that needs it, and then kept. */
function sharedSchemaOf(router: ServingRouter<object>): () => Promise<string> {
  let known: string | undefined
  return async () => {
    known ??= (await router.whoWill({ kind: 'shared' }))[0] ?? ''
    return known
  }
}

function decide(parts: GateParts, found: Found, asked: AskedRequest): Verdict | Promise<Verdict> {
  switch (found.kind) {
    case 'tenant':
      return decideTenant(parts, found, asked)
    case 'static':
      return inSchema(parts, { kind: 'static', schema: found.schema }, asked.url)
    case 'unknown':
      return refuse('TENANT_NOT_FOUND')
    case 'malformed':
      return refuse('TENANT_UNRESOLVED')
    case 'none':
      return decideMissing(parts, found, asked.url)
    default:
      return found satisfies never
  }
}

function decideTenant(
  { settings, router }: GateParts,
  { tenant, prefix = '', redirect }: Extract<Found, { kind: 'tenant' }>,
  asked: AskedRequest,
): Verdict {
  if (tenant.status === 'deleted') return refuse('TENANT_NOT_FOUND', tenant.slug)
  if (tenant.status !== 'active') return refuse('TENANT_SUSPENDED', tenant.slug)
  if (settings.redirect && redirect !== undefined && isSafe(asked.method)) {
    return { kind: 'redirect', status: 307, location: addressOn(redirect, asked, prefix) }
  }
  return {
    kind: 'serve',
    place: { kind: 'tenant', tenant: typed(tenant), prefix },
    url: settings.stripPrefix && prefix !== '' ? withoutPrefix(asked.url, prefix) : asked.url,
    run: (fn) => router.runAs(tenant, fn),
  }
}

/** A client would have to be asked before it sends anything else a second time, elsewhere. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

async function decideMissing(
  parts: GateParts,
  { isUnknownHost = false }: Extract<Found, { kind: 'none' }>,
  url: string,
): Promise<Verdict> {
  switch (parts.settings.missing) {
    case 'reject':
      return refuse(isUnknownHost ? 'TENANT_NOT_FOUND' : 'TENANT_UNRESOLVED')
    case 'shared':
      return inSchema(parts, { kind: 'shared', schema: await parts.shared() }, url)
    case 'pass':
      return { kind: 'serve', place: undefined, url, run: async (fn) => fn() }
    default:
      return parts.settings.missing satisfies never
  }
}

function inSchema(
  { router }: GateParts,
  place: { readonly kind: 'static' | 'shared'; readonly schema: string },
  url: string,
): Verdict {
  return {
    kind: 'serve',
    place,
    url,
    run: (fn) => router.withSchema(place.schema, async () => fn()),
  }
}

function refuse(code: Refusal['code'] & Parameters<typeof refusal>[0], tenant?: string): Verdict {
  return { kind: 'refuse', error: refusal(code, tenant) }
}

/**
 * The refusal behind an error that came before the app was reached: a tenant that was served a
 * moment ago may be suspended by now.
 */
export function refusalIn(error: unknown): Refusal | undefined {
  if (!isTenantryError(error) || !isRefusalCode(error.code)) return undefined
  return refusal(error.code, error.tenant, error)
}
