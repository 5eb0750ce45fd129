import { TenantryError } from '../errors.js'
import type { Tenant, TenantStatus } from '../registry/tenant.js'

/** What can be done to a tenant that depends on its status. */
export type StatusChange =
  | 'suspend'
  | 'activate'
  | 'delete'
  | 'undelete'
  | 'purge'
  | 'clone'
  | 'backup'
  | 'export'
  | 'restore'
  | 'move'

interface Rule {
  readonly from: readonly TenantStatus[]
  /** What to do with a tenant of another status. */
  readonly advice: string
}

const RULES: Readonly<Record<StatusChange, Rule>> = {
  suspend: {
    from: ['active', 'suspended'],
    advice: 'Only an active tenant can be suspended; undelete a deleted one first.',
  },
  activate: {
    from: ['provisioning', 'active', 'suspended'],
    advice: 'Call tenants.undelete() to bring a deleted tenant back.',
  },
  delete: { from: ['provisioning', 'active', 'suspended', 'deleted'], advice: '' },
  undelete: {
    from: ['deleted'],
    advice: 'Only a deleted tenant can be undeleted; call tenants.activate() for a suspended one.',
  },
  purge: {
    from: ['deleted'],
    advice: 'Call tenants.delete() first, which stops serving it and keeps its data.',
  },
  clone: {
    from: ['active', 'suspended'],
    advice: 'Only a tenant whose schema is whole can be cloned: activate or undelete it first.',
  },
  backup: {
    from: ['active', 'suspended', 'deleted'],
    advice: 'Only a tenant whose schema is whole can be backed up: activate it first.',
  },
  move: {
    from: ['active', 'suspended'],
    advice: 'Only an active or suspended tenant can be moved: undelete it first.',
  },
  export: {
    from: ['active', 'suspended', 'deleted'],
    advice: 'Only a tenant whose schema is whole can be exported: activate it first.',
  },
  restore: {
    from: ['active', 'suspended'],
    advice: 'Only an active or suspended tenant can be replaced: undelete it first.',
  },
}

/**
 * Checks that a tenant's status allows a change.
 *
 * @throws `TENANT_STATUS`
 */
export function requireStatus({ slug, schema, status }: Tenant, change: StatusChange): void {
  const { from, advice } = RULES[change]
  if (from.includes(status)) return
  throw new TenantryError(
    'TENANT_STATUS',
    `Tenant "${slug}" is ${status}, so tenants.${change}() is refused. ${advice}`,
    { tenant: slug, schema },
  )
}
