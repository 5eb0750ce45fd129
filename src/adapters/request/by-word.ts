import { optionInvalid } from '../../support/options.js'
import {
  type AskedRequest,
  type FindTenant,
  type Found,
  type ServingRouter,
  byWord,
  findWith,
} from './found.js'
import { headerValues } from './header.js'

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Finds the tenant by its slug in a header.
 *
 * It trusts the caller: whoever can send a request to the service chooses the tenant. Use it only
 * behind a gateway that sets the header itself and drops the one that it is sent, or check in a
 * middleware of yours that the user belongs to the tenant. It is off unless you choose it.
 *
 * @param name For example `x-tenant`; sent twice, it is refused.
 * @throws `OPTIONS_INVALID` for what is no name of a header
 * @example
 * import { byHeader } from 'tenantry/express'
 *
 * export const tenant = byHeader('x-tenant')
 */
export function byHeader(name: string): FindTenant {
  if (typeof name !== 'string' || !HEADER.test(name)) {
    throw optionInvalid('byHeader', 'byHeader() takes the name of a header, such as "x-tenant".')
  }
  return ({ headers }, router) => {
    const [value, ...more] = headerValues(headers, name)
    if (value === undefined) return undefined
    return more.length === 0 ? byWord(value, router) : { kind: 'malformed' }
  }
}

/** What was read from a request: a slug, or that there is none. */
export type Claim = string | null | undefined

/**
 * Finds the tenant by its slug in what your function reads from the request: a claim of a token, or
 * a session.
 *
 * It trusts what the function returns: read only claims whose signature was checked before, and
 * register that check in front of the adapter. It is off unless you choose it.
 *
 * @param read Gets the framework's request, or its context; `undefined` where there is no claim.
 * @throws `OPTIONS_INVALID` for what is no function
 * @example
 * import { byClaim } from 'tenantry/express'
 *
 * interface SignedIn {
 *   readonly user?: { readonly tenant?: string }
 * }
 * export const tenant = byClaim((request: SignedIn) => request.user?.tenant)
 */
export function byClaim<Request>(
  read: (request: Request) => Claim | Promise<Claim>,
): FindTenant<Request> {
  if (typeof read !== 'function') {
    throw optionInvalid('byClaim', 'byClaim() takes a function from the request to a slug.')
  }
  return async ({ request }, router) => {
    const claim = await read(request)
    return claim === undefined || claim === null ? undefined : byWord(claim, router)
  }
}

/**
 * Asks several resolvers in their order; the first one that finds something counts.
 *
 * A request that names a tenant that does not exist is not handed to the next one: it would be
 * served as somebody else.
 *
 * @throws `OPTIONS_INVALID` without a resolver
 * @example
 * import { byHost, byPath, firstOf } from 'tenantry/express'
 *
 * export const tenant = firstOf(byHost(), byPath({ below: '/t' }))
 */
export function firstOf<Request = unknown>(
  ...resolvers: readonly FindTenant<Request>[]
): FindTenant<Request> {
  if (resolvers.length === 0 || resolvers.some((each) => typeof each !== 'function')) {
    throw optionInvalid('firstOf', 'firstOf() takes resolvers, such as byHost() and byPath().')
  }
  return async (asked, router) => firstFound(resolvers, asked, router)
}

async function firstFound<Request>(
  resolvers: readonly FindTenant<Request>[],
  asked: AskedRequest<Request>,
  router: ServingRouter<object>,
): Promise<Found> {
  let isUnknownHost = false
  for (const find of resolvers) {
    // One after the other: a resolver is asked only where those before it found nothing.
    const found = await findWith(find, asked, router)
    if (found.kind !== 'none') return found
    isUnknownHost ||= found.isUnknownHost ?? false
  }
  return { kind: 'none', isUnknownHost }
}
