import { TenantryError } from '../../errors.js'
import type { DomainName } from '../../names/domain-name.js'
import { type DomainRules, keptDomain } from '../../names/domain-rules.js'
import type { SchemaName } from '../../names/schema-name.js'

/** A domain that the configuration leads to a static schema. */
export interface StaticDomain {
  readonly schema: SchemaName
  readonly domain: DomainName
}

/** What a new domain is checked against. */
export interface DomainChecks {
  readonly staticDomains: readonly StaticDomain[]
  readonly domainRules: DomainRules
}

/**
 * Parses a domain for a tenant.
 *
 * @throws `NAME_INVALID`, and `DOMAIN_TAKEN` when the configuration leads it to a static schema:
 * the tenant would never be reached.
 */
export function parseFreeDomain(
  input: string,
  { staticDomains, domainRules }: DomainChecks,
): DomainName {
  const domain = keptDomain(input, domainRules)
  const owner = staticDomains.find(
    (fixed) => fixed.domain.host === domain.host && fixed.domain.path === domain.path,
  )
  if (owner === undefined) return domain
  const name = domain.host + domain.path
  throw new TenantryError(
    'DOMAIN_TAKEN',
    `The domain "${name}" leads to the static schema "${owner.schema}". ` +
      'Choose another one, or remove it from schemas.static.',
    { domain: name, schema: owner.schema },
  )
}
