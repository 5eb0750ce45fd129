import type { LifecycleParts } from '../create/create.js'
import type { AuditReport } from './finding.js'
import { judgeDomains } from './judge-domains.js'
import { judgeNames } from './judge-names.js'
import { judgeSchemas } from './judge-schemas.js'
import { judgeTenants } from './judge-tenants.js'
import { observeFleet } from './observe.js'

/** Compares the registry with the database. See `Tenants.audit`. */
export async function auditTenants(parts: LifecycleParts): Promise<AuditReport> {
  const { db, registry, layout, staticDomains } = parts
  const observed = await observeFleet(db, registry, layout.shared.schema)
  return {
    findings: [
      ...judgeTenants(observed, layout),
      ...judgeNames(observed, layout),
      ...judgeSchemas(observed, layout),
      ...judgeDomains(observed, staticDomains),
    ],
    tenants: observed.tenants.length,
    schemas: observed.schemas.length,
  }
}
