import { TenantryError } from '../errors.js'
import { type StaticDomain, parseFreeDomain } from '../lifecycle/domain/free-domain.js'
import type { DomainRules } from '../names/domain-rules.js'
import { type SchemaName, parseSchemaName } from '../names/schema-name.js'
import { listOf } from '../support/options.js'
import type { StaticSchemaOptions } from './options.js'

/** The domains that the configuration leads to static schemas. */
export interface FixedDomains {
  readonly staticDomains: readonly StaticDomain[]
  /** Those that count only where no tenant's domain does. */
  readonly fallbackDomains: readonly StaticDomain[]
  /** The schema of every host that leads nowhere else. */
  readonly fallbackSchema: SchemaName | undefined
}

const EVERY_HOST = '*'

/**
 * Reads the domains of the static schemas.
 *
 * @throws `NAME_INVALID`, and `DOMAIN_TAKEN` for one that is there twice: the second one would never
 * be reached.
 */
export function resolveFixedDomains(
  statics: Readonly<Record<string, StaticSchemaOptions>>,
  domainRules: DomainRules,
): FixedDomains {
  const staticDomains: StaticDomain[] = []
  const fallbackDomains: StaticDomain[] = []
  const catchers: SchemaName[] = []
  for (const [name, options] of Object.entries(statics)) {
    const schema = parseSchemaName(name)
    const add = (found: StaticDomain[], domain: string): void => {
      const checks = { staticDomains: [...staticDomains, ...fallbackDomains], domainRules }
      found.push({ schema, domain: parseFreeDomain(domain, checks) })
    }
    for (const domain of listOf('domains', options.domains ?? [])) add(staticDomains, domain)
    for (const domain of listOf('fallbackDomains', options.fallbackDomains ?? [])) {
      if (domain === EVERY_HOST) catchers.push(schema)
      else add(fallbackDomains, domain)
    }
  }
  return { staticDomains, fallbackDomains, fallbackSchema: onlyOne(catchers) }
}

function onlyOne([first, second]: readonly SchemaName[]): SchemaName | undefined {
  if (second === undefined) return first
  throw new TenantryError(
    'DOMAIN_TAKEN',
    `Both "${first}" and "${second}" are to be the fallback of every host. Name one of them.`,
    { domain: EVERY_HOST, schema: second },
  )
}
