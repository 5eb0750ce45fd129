import { randomBytes } from 'node:crypto'
import type { SchemaRouter } from '../../router/schema-router.js'

/** The tenants that adapters are tested with; each has its slug in its table `marks`. */
export interface AdapterFleet {
  /** Slugs of twenty tenants that are served. */
  readonly slugs: readonly string[]
  /** The slug of the first one, which has the domains below. */
  readonly first: string
  /** Its primary domain. */
  readonly host: string
  /** Another host of its. */
  readonly oldHost: string
  /** A host of its below `/beta` and `/get/beta` only. */
  readonly prefixedHost: string
  readonly suspended: string
  readonly suspendedHost: string
  readonly deletedHost: string
}

const COUNT = 20

/** Makes the tenants; they have names that no other call gets. */
export async function makeFleet(router: SchemaRouter): Promise<AdapterFleet> {
  const unique = randomBytes(4).toString('hex')
  const slugs = Array.from({ length: COUNT }, (_, at) => `t${at}-${unique}`)
  const host = (name: string): string => `${name}-${unique}.test`
  const first = `t0-${unique}`
  const [suspended, deleted] = [`suspended-${unique}`, `deleted-${unique}`]
  const prefixed = ['/beta', '/get/beta'].map((path) => host('prefixed') + path)
  const domains: Readonly<Record<string, readonly string[]>> = {
    [first]: [host('main'), host('old'), ...prefixed],
    [suspended]: [host('suspended')],
    [deleted]: [host('deleted')],
  }
  const orders = [...slugs, suspended, deleted].map((slug) => ({
    slug,
    domains: domains[slug] ?? [],
  }))
  await router.tenants.createMany(orders)
  await router.tenants.domains.setPrimary(first, host('main'))
  for (const slug of slugs) await mark(router, slug)
  await router.tenants.suspend(suspended)
  await router.tenants.delete(deleted)
  return {
    slugs,
    first,
    host: host('main'),
    oldHost: host('old'),
    prefixedHost: host('prefixed'),
    suspended,
    suspendedHost: host('suspended'),
    deletedHost: host('deleted'),
  }
}

async function mark(router: SchemaRouter, slug: string): Promise<void> {
  await router.withTenant(slug, async (db) => {
    await db.query('create table marks (word text)')
    await db.query('insert into marks values ($1)', [slug])
  })
}
