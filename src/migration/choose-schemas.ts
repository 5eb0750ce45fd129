import { type DomainName, parseDomain } from '../names/domain-name.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'
import type { TenantRegistry } from '../registry/registry.js'
import { asksForBehind, strangeNames } from '../selector/question.js'
import { resolveSelector } from '../selector/resolve.js'
import type { FleetSchema, Selector } from '../selector/selector.js'
import { type SchemaLayout, listFleet } from './layout.js'

/** What selecting reads; it writes nothing. */
export interface SelectionParts {
  readonly db: Queryable
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly staticDomains: readonly { readonly schema: SchemaName; readonly domain: DomainName }[]
}

/** What is asked for. */
export interface SelectionQuestion {
  readonly selector: Selector
  readonly exclude: readonly string[]
  /** The names of the schemas that are behind; asked only if the selector needs them. */
  readonly behind: () => Promise<ReadonlySet<string>>
}

/** Resolves a selector against the fleet; domains and states are read only where they matter. */
export async function chooseSchemas(
  parts: SelectionParts,
  { selector, exclude, behind }: SelectionQuestion,
): Promise<readonly FleetSchema[]> {
  const fleet = await listFleet(parts.db, parts.layout, parts.registry)
  const domains = await schemasOfDomains(parts, strangeNames(selector, exclude, fleet))
  const late = asksForBehind(selector) ? await behind() : undefined
  return resolveSelector(selector, fleet, { exclude, domains, ...(late && { behind: late }) })
}

/** The schemas to which names lead that are domains. */
async function schemasOfDomains(
  { db, registry, staticDomains }: SelectionParts,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const asked = names.flatMap((name) => domainIn(name) ?? [])
  if (asked.length === 0) return new Map()
  const hosts = asked.map(({ domain }) => domain.host)
  const { tenants, domains } = await registry.lookUp(db, { slugs: [], hosts })
  const schemas = new Map(tenants.map(({ slug, schema }) => [slug, schema]))
  const led = domains.flatMap((domain) => {
    const schema = schemas.get(domain.tenant)
    return schema === undefined || !domain.verified ? [] : [{ domain, schema }]
  })
  const owners = [...staticDomains, ...led]
  return new Map(
    asked.map(({ name, domain: { host, path } }) => [
      name,
      owners
        .filter(({ domain }) => domain.host === host && domain.path === path)
        .map(({ schema }) => schema),
    ]),
  )
}

function domainIn(name: string): { name: string; domain: DomainName } | undefined {
  try {
    return { name, domain: parseDomain(name) }
  } catch {
    // What is no domain is an unknown name, and refused as such.
    return undefined
  }
}
