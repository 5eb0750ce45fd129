import { digestOf } from '../../migration/ledger.js'
import type { Reference } from '../../migration/verify/reference.js'
import { tenantReference } from '../../migration/verify/tenant-reference.js'

/** Makes what a schema has to look like. */
export type ReferenceOf = typeof tenantReference

/** Makes the same reference once only: tenants of one version have it in common. */
export function rememberReferences(): ReferenceOf {
  const made = new Map<string, Promise<Reference>>()
  return (parts, tenant, applied) => {
    const key = digestOf(applied)
    const reference = made.get(key) ?? tenantReference(parts, tenant, applied)
    made.set(key, reference)
    // What failed for one may go well for the next.
    reference.catch(() => made.delete(key))
    return reference
  }
}
