import type { ListedDomain } from '../../registry/registry.js'
import type { StaticDomain } from '../domain/free-domain.js'
import type { AuditFinding } from './finding.js'
import type { Observed } from './observe.js'

/** What is the matter with the domains of tenants. */
export function judgeDomains(
  { tenants, domains }: Pick<Observed, 'tenants' | 'domains'>,
  staticDomains: readonly StaticDomain[],
): readonly AuditFinding[] {
  const slugs = new Set(tenants.map(({ slug }) => slug))
  const fixed = new Map(
    staticDomains.map(({ schema, domain }) => [domain.host + domain.path, schema]),
  )
  return domains.flatMap((listed) => {
    const { tenant } = listed
    const domain = listed.host + listed.path
    if (tenant === undefined || !slugs.has(tenant)) return [withoutTenant(domain, listed)]
    const schema = fixed.get(domain)
    return schema === undefined ? [] : [unreachable({ tenant, domain, schema })]
  })
}

function withoutTenant(domain: string, { tenant }: ListedDomain): AuditFinding {
  return {
    kind: 'domain-without-tenant',
    ...(tenant !== undefined && { tenant }),
    domain,
    message: `The domain "${domain}" is in the registry, but its tenant is not.`,
    repair: 'Delete the row of the domain in the registry, so that another tenant can have it.',
  }
}

function unreachable(
  facts: Required<Pick<AuditFinding, 'tenant' | 'domain' | 'schema'>>,
): AuditFinding {
  const { tenant, domain, schema } = facts
  return {
    kind: 'domain-unreachable',
    tenant,
    schema,
    domain,
    message: `The domain "${domain}" of tenant "${tenant}" leads to the static schema "${schema}" by the configuration.`,
    repair: `Call tenants.domains.remove('${tenant}', '${domain}'), or take the domain out of schemas.static.`,
  }
}
