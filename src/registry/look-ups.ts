import { isSlug } from '../names/slug.js'
import type { Queryable } from '../postgres/queryable.js'
import { lookupCache } from './lookup-cache.js'
import type { TenantRegistry } from './registry.js'
import type { Tenant } from './tenant.js'

/** What a process remembers of the registry. */
export interface LookUps {
  /** The tenant with a slug, from memory where possible. */
  find(slug: string): Promise<Tenant | undefined>
  /** What is remembered of a tenant at this moment, without asking the registry. */
  peek(slug: string): Tenant | undefined
  /** Call it when something of a tenant was written: its row, its domains, or that it is gone. */
  forgetTenant(slug: string): void
  /** Call it when a domain of a host was written. */
  forgetHost(host: string): void
}

const LIMITS = { maxEntries: 10_000, ttlMs: 5_000 }

/** The memory in front of a registry. */
export function rememberLookUps(db: Queryable, registry: TenantRegistry): LookUps {
  const bySlug = lookupCache(LIMITS, async (slug) =>
    isSlug(slug) ? registry.findBySlug(db, slug) : undefined,
  )
  return {
    find: (slug) => bySlug.get(slug),
    peek: (slug) => bySlug.peek(slug),
    forgetTenant: (slug) => bySlug.forget(slug),
    forgetHost: () => {},
  }
}
