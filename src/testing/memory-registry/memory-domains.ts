import type { DomainName } from '../../names/domain-name.js'
import type { Slug } from '../../names/slug.js'
import type { Queryable } from '../../postgres/queryable.js'
import { HOST_PAYLOAD } from '../../registry/change.js'
import type { LookUpAnswer, LookUpQuestion, TenantRegistry } from '../../registry/registry.js'
import { domainTaken } from '../../registry/taken.js'
import type { Tenant } from '../../registry/tenant.js'
import {
  type MemoryState,
  type OwnedDomain,
  copyOf,
  domainOf,
  domainRowOf,
  domainsIn,
  isSame,
  mapDomains,
  order,
  tenantIn,
} from './memory-state.js'
import { type MemoryJournal, slugKey } from './memory-tenants.js'
import type { Decision } from '../registry-suite/transaction-journal.js'

type DomainPart = Pick<
  TenantRegistry,
  | 'lookUp'
  | 'domainsOf'
  | 'listDomains'
  | 'addDomain'
  | 'removeDomain'
  | 'setPrimaryDomain'
  | 'verifyDomain'
>

/** The part of the port that is about domains. */
export function memoryDomains(journal: MemoryJournal): DomainPart {
  return {
    lookUp: async (db, question) => answer(await journal.read(db), question),

    async domainsOf(db, slug) {
      const state = await journal.read(db)
      const owner = tenantIn(state, slug)
      return owner === undefined
        ? []
        : domainsIn(state, owner).map((domain) => domainOf(owner, domain))
    },

    async listDomains(db) {
      const { tenants, domains } = await journal.read(db)
      const slugs = new Map(tenants.map(({ id, slug }) => [id, slug]))
      return domains
        .map(({ owner, ...domain }) => ({ ...domain, tenant: slugs.get(owner) }))
        .toSorted(
          (a, b) =>
            order(a.host, b.host) || order(a.path, b.path) || order(a.tenant ?? '', b.tenant ?? ''),
        )
    },

    ...domainClaims(journal),
    ...domainChanges(journal),
  }
}

/** A tenant and one of its domains, as a write finds them. */
interface Place {
  readonly state: MemoryState
  readonly owner: Tenant
  readonly known: OwnedDomain | undefined
}

function writeAt<Result>(
  journal: MemoryJournal,
  {
    db,
    slug,
    domain,
  }: { readonly db: Queryable; readonly slug: Slug; readonly domain: DomainName },
  decide: (place: Place) => Decision<MemoryState, Result>,
): Promise<Result | undefined> {
  const keys = [slugKey(slug), `domain ${domain.host}${domain.path}`]
  return journal.write<Result | undefined>(db, keys, (state) => {
    const owner = tenantIn(state, slug)
    if (owner === undefined) return { result: undefined }
    const known = domainsIn(state, owner).find((each) => isSame(each, domain))
    return { payloads: [slug, HOST_PAYLOAD + domain.host], ...decide({ state, owner, known }) }
  })
}

function domainClaims(journal: MemoryJournal): Pick<DomainPart, 'addDomain' | 'verifyDomain'> {
  return {
    addDomain: (db, slug, domain) =>
      writeAt(journal, { db, slug, domain }, ({ state, owner, known }) => {
        const isSecond = domain.primary && domainsIn(state, owner).some(({ primary }) => primary)
        if (known !== undefined || isSecond || isVerified(state, domain)) throw taken(domain)
        const row = domainRowOf(owner, domain)
        return {
          result: domainOf(owner, row),
          change: (before) => ({ ...before, domains: [...before.domains, row] }),
        }
      }),

    verifyDomain: (db, slug, domain) =>
      writeAt(journal, { db, slug, domain }, ({ state, owner, known }) => {
        if (known === undefined) return { result: undefined }
        if (!known.verified && isVerified(state, domain)) throw taken(domain)
        const verify = (each: OwnedDomain): readonly OwnedDomain[] => [
          isSame(each, domain) ? { ...each, verified: true } : each,
        ]
        return {
          result: domainOf(owner, { ...known, verified: true }),
          change: (before) => mapDomains(before, owner, verify),
        }
      }),
  }
}

function domainChanges(
  journal: MemoryJournal,
): Pick<DomainPart, 'removeDomain' | 'setPrimaryDomain'> {
  const change = async (
    at: Parameters<typeof writeAt>[1],
    map: (domain: OwnedDomain) => readonly OwnedDomain[],
  ): Promise<boolean> => {
    const changed = await writeAt(journal, at, ({ owner, known }) =>
      known === undefined
        ? { result: false }
        : { result: true, change: (before) => mapDomains(before, owner, map) },
    )
    return changed === true
  }
  return {
    removeDomain: (db, slug, domain) =>
      change({ db, slug, domain }, (each) => (isSame(each, domain) ? [] : [each])),

    setPrimaryDomain: (db, slug, domain) =>
      change({ db, slug, domain }, (each) => [{ ...each, primary: isSame(each, domain) }]),
  }
}

function isVerified({ domains }: MemoryState, domain: DomainName): boolean {
  return domains.some((each) => each.verified && isSame(each, domain))
}

function taken({ host, path }: DomainName): Error {
  return domainTaken(host + path)
}

function answer(state: MemoryState, { slugs, hosts }: LookUpQuestion): LookUpAnswer {
  const leads = ({ host, verified }: OwnedDomain): boolean =>
    verified && hosts.some((asked) => asked === host)
  const owners = new Set(state.domains.filter(leads).map(({ owner }) => owner))
  const tenants = state.tenants.filter(
    ({ id, slug }) => owners.has(id) || slugs.some((asked) => asked === slug),
  )
  return {
    tenants: tenants.map(copyOf),
    domains: tenants.flatMap((tenant) =>
      domainsIn(state, tenant)
        .filter((domain) => domain.primary || leads(domain))
        .map((domain) => domainOf(tenant, domain)),
    ),
  }
}
