import { type Tenant, type TenantMetadata, typed } from '../../registry/tenant.js'

/** What a request is served as. */
export type RequestPlace<Metadata = TenantMetadata> =
  | {
      readonly kind: 'tenant'
      readonly tenant: Tenant<Metadata>
      /** The beginning of the path that led to the tenant; empty unless one did. */
      readonly prefix: string
    }
  | { readonly kind: 'static' | 'shared'; readonly schema: string }

const KEY = Symbol.for('tenantry.requests')

type GlobalWithPlaces = typeof globalThis & { [KEY]?: WeakMap<object, RequestPlace> }

/** On `globalThis`, as the ambient tenant is: several copies of the package may be loaded. */
function places(): WeakMap<object, RequestPlace> {
  const holder: GlobalWithPlaces = globalThis
  return (holder[KEY] ??= new WeakMap<object, RequestPlace>())
}

/** Remembers what a request is served as, for as long as the request lives. */
export function setPlace(request: object, place: RequestPlace | undefined): void {
  if (place !== undefined) places().set(request, place)
}

/** What a request is served as, under the object that it was remembered by. */
export function placeAt<Metadata extends object>(
  request: object,
): RequestPlace<Metadata> | undefined {
  const place = places().get(request)
  if (place?.kind !== 'tenant') return place
  return { ...place, tenant: typed<Metadata>(place.tenant) }
}

/** The tenant that a request is served as, if it is a tenant's. */
export function tenantAt<Metadata extends object>(request: object): Tenant<Metadata> | undefined {
  const place = places().get(request)
  return place?.kind === 'tenant' ? typed<Metadata>(place.tenant) : undefined
}
