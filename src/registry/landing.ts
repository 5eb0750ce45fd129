import type { KnownHost, KnownTenant } from './memory.js'
import type { LookUpAnswer, LookUpQuestion } from './registry.js'
import type { Domain } from './tenant.js'

/** What the registry said of each slug and host that it was asked for, by name. */
export interface Landing {
  /** Those that were asked for, and those to whom the hosts lead. */
  readonly tenants: ReadonlyMap<string, KnownTenant>
  readonly hosts: ReadonlyMap<string, KnownHost>
}

/** Sorts an answer once, for all who wait for a part of it. @param at When it was asked for. */
export function landingOf(
  { slugs, hosts }: LookUpQuestion,
  { tenants, domains }: LookUpAnswer,
  at: number,
): Landing {
  const primaries = new Map(
    domains.filter(({ primary }) => primary).map((domain) => [domain.tenant, domain]),
  )
  const known = new Map<string, KnownTenant>()
  for (const slug of slugs) known.set(slug, { at, tenant: undefined, primary: undefined })
  for (const tenant of tenants) {
    known.set(tenant.slug, { at, tenant, primary: primaries.get(tenant.slug) })
  }
  const led = new Map<string, Domain[]>(hosts.map((host) => [host, []]))
  for (const domain of domains) if (domain.verified) led.get(domain.host)?.push(domain)
  return {
    tenants: known,
    hosts: new Map(
      [...led].map(([host, all]) => [host, { at, domains: all.toSorted(longestFirst) }]),
    ),
  }
}

function longestFirst(a: Domain, b: Domain): number {
  return b.path.length - a.path.length
}
