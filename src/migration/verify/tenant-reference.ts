import type { FleetSchema } from '../../selector/selector.js'
import { loadSets } from '../layout.js'
import type { LedgerRow } from '../ledger.js'
import { type Reference, type ReferenceParts, buildReferences } from './reference.js'
import { referenceSets } from './reference-sets.js'
import { present } from '../../support/present.js'

/** What a tenant's schema looks like that has had those migrations, and nothing else. */
export async function tenantReference(
  parts: ReferenceParts,
  tenant: FleetSchema,
  applied: readonly LedgerRow[],
): Promise<Reference> {
  const sets = referenceSets(parts.layout, await loadSets(parts.layout))
  const set = sets.take(tenant, { applied })
  const { references } = await buildReferences(parts, sets.needed())
  return present(references.get(set)?.get(applied.length))
}
