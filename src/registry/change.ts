/** The channel on which the registries of the package announce what they have written. */
export const REGISTRY_CHANGE_CHANNEL = 'tenantry_registry'

/** What other processes have to look up again. */
export type RegistryChange =
  | { readonly kind: 'tenant'; readonly slug: string }
  | { readonly kind: 'host'; readonly host: string }

/**
 * What stands before the host in the payload that says that a host leads elsewhere now. The payload
 * for a tenant is its slug, which has no slash, so neither is ever taken for the other.
 */
export const HOST_PAYLOAD = 'host/'

/** Reads a payload of {@link REGISTRY_CHANGE_CHANNEL}. */
export function changeOf(payload: string): RegistryChange {
  return payload.startsWith(HOST_PAYLOAD)
    ? { kind: 'host', host: payload.slice(HOST_PAYLOAD.length) }
    : { kind: 'tenant', slug: payload }
}
