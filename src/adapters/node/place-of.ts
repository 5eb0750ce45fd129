import type { IncomingMessage } from 'node:http'
import type { Tenant, TenantMetadata } from '../../registry/tenant.js'
import { type RequestPlace, placeAt, tenantAt } from '../request/place.js'

/**
 * The tenant that a request is served as; `undefined` for one that is not a tenant's.
 *
 * @example
 * import type { IncomingMessage } from 'node:http'
 * import { tenantOf } from 'tenantry/express'
 *
 * const planOf = (request: IncomingMessage) => tenantOf<{ plan: string }>(request)?.metadata.plan
 */
export function tenantOf<Metadata extends object = TenantMetadata>(
  request: IncomingMessage,
): Tenant<Metadata> | undefined {
  return tenantAt(request)
}

/**
 * The tenant, or the static or shared schema, that a request is served as.
 *
 * @example
 * import type { IncomingMessage } from 'node:http'
 * import { placeOf } from 'tenantry/express'
 *
 * const isShared = (request: IncomingMessage) => placeOf(request)?.kind === 'shared'
 */
export function placeOf<Metadata extends object = TenantMetadata>(
  request: IncomingMessage,
): RequestPlace<Metadata> | undefined {
  return placeAt(request)
}
