import { type TenantAction, tenantChannel, traced } from '../diagnostics/channels.js'
import { type Tenant, typed } from '../registry/tenant.js'
import type { LifecycleParts } from './create.js'

/** A turn in a tenant's life, by the name that the caller has for the tenant. */
export interface Turn {
  readonly action: TenantAction
  readonly slug: string
}

/** What a turn is: it answers with the tenant as it is afterwards, or as it was. */
export type Change = (parts: LifecycleParts) => Promise<Tenant>

/** Changes a tenant, tells those who listen, and has this process forget what it knew of it. */
export async function toldChange<Metadata extends object>(
  parts: LifecycleParts,
  { action, slug }: Turn,
  work: Change,
): Promise<Tenant<Metadata>> {
  const tenant = await traced(
    tenantChannel,
    () => ({ action, slug }),
    () => work(parts),
  )
  parts.lookUps.forgetTenant(slug)
  parts.lookUps.forgetTenant(tenant.slug)
  return typed(tenant)
}
