import {
  type MessageTenant,
  type TenantAction,
  type TenantRows,
  tenantChannel,
  traced,
} from '../diagnostics/channels.js'
import { type Tenant, typed } from '../registry/tenant.js'
import type { LifecycleParts } from './create/create.js'

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

/** Whose rows were moved, and how many. */
export interface MovedRows<Report extends TenantRows> {
  readonly tenant: MessageTenant
  readonly report: Report
}

/** Moves the rows of a tenant to a file or from one, and tells those who listen. */
export async function toldRows<Report extends TenantRows>(
  turn: Turn,
  work: () => Promise<MovedRows<Report>>,
): Promise<Report> {
  const { report } = await traced(
    tenantChannel,
    () => ({ ...turn }),
    async () => {
      const { tenant, report: moved } = await work()
      return { id: tenant.id, slug: tenant.slug, report: moved }
    },
  )
  return report
}
