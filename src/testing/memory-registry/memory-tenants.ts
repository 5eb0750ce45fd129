import type { TenantRegistry } from '../../registry/registry.js'
import { HOST_PAYLOAD } from '../../registry/change.js'
import { tenantExists } from '../../registry/taken.js'
import type { Tenant } from '../../registry/tenant.js'
import {
  type MemoryState,
  copyOf,
  domainsIn,
  order,
  patchTenant,
  rowOf,
  tenantIn,
  withTenant,
  withoutTenant,
} from './memory-state.js'
import type { TransactionJournal } from '../registry-suite/transaction-journal.js'

/** What tenants and domains of a registry in memory are kept in. */
export type MemoryJournal = TransactionJournal<MemoryState>

type TenantPart = Pick<
  TenantRegistry,
  'findBySlug' | 'list' | 'insert' | 'update' | 'rename' | 'setStatus' | 'remove'
>

/** The part of the port that is about tenants. */
export function memoryTenants(journal: MemoryJournal): TenantPart {
  return { ...tenantReads(journal), ...tenantRows(journal), ...tenantChanges(journal) }
}

function tenantReads(journal: MemoryJournal): Pick<TenantPart, 'findBySlug' | 'list'> {
  return {
    async findBySlug(db, slug) {
      const found = tenantIn(await journal.read(db), slug)
      return found && copyOf(found)
    },

    async list(db, { status } = {}) {
      const wanted = typeof status === 'string' ? [status] : status
      return (await journal.read(db)).tenants
        .filter((each) => wanted?.includes(each.status) ?? each.status !== 'deleted')
        .toSorted((a, b) => order(a.schema, b.schema))
        .map(copyOf)
    },
  }
}

function tenantRows(journal: MemoryJournal): Pick<TenantPart, 'insert' | 'remove'> {
  return {
    insert: (db, tenant) =>
      journal.write(db, [slugKey(tenant.slug), schemaKey(tenant.schema)], ({ tenants }) => {
        const isTaken = tenants.some(
          ({ slug, schema }) => slug === tenant.slug || schema === tenant.schema,
        )
        if (isTaken) throw tenantExists(tenant)
        const row = rowOf(tenant)
        const change = (state: MemoryState): MemoryState => withTenant(state, row)
        return { result: copyOf(row), change, payloads: [row.slug] }
      }),

    remove: (db, slug) =>
      journal.write(db, [slugKey(slug)], (state) => {
        const found = tenantIn(state, slug)
        if (found === undefined) return { result: false }
        const hosts = domainsIn(state, found).map(({ host }) => HOST_PAYLOAD + host)
        return {
          result: true,
          change: (before) => withoutTenant(before, found.id),
          payloads: [slug, ...new Set(hosts)],
        }
      }),
  }
}

function tenantChanges(
  journal: MemoryJournal,
): Pick<TenantPart, 'update' | 'rename' | 'setStatus'> {
  const patch = (
    db: Parameters<TenantPart['update']>[0],
    slug: string,
    change: Partial<Tenant>,
  ): Promise<Tenant | undefined> =>
    journal.write(db, keysOf(slug, change), (state) => {
      const found = tenantIn(state, slug)
      if (found === undefined) return { result: undefined }
      requireFree(state, found, change)
      const after = patchTenant(state, found.id, change)
      const changed = after.tenants.find(({ id }) => id === found.id) ?? found
      return {
        result: copyOf(changed),
        change: (before) => patchTenant(before, found.id, change),
        payloads: [...new Set([slug, changed.slug])],
      }
    })
  return {
    update: patch,
    rename: patch,
    setStatus: (db, slug, status) => patch(db, slug, { status }),
  }
}

function keysOf(slug: string, change: Partial<Tenant>): readonly string[] {
  return [
    slugKey(slug),
    ...(change.slug === undefined ? [] : [slugKey(change.slug)]),
    ...(change.schema === undefined ? [] : [schemaKey(change.schema)]),
  ]
}

function requireFree(
  { tenants }: MemoryState,
  found: Tenant,
  { slug = found.slug, schema = found.schema }: Partial<Tenant>,
): void {
  const isTaken = tenants.some(
    (each) => each.id !== found.id && (each.slug === slug || each.schema === schema),
  )
  if (isTaken) throw tenantExists({ slug, schema })
}

/** The key that holds a tenant, and the slug itself. */
export function slugKey(slug: string): string {
  return `slug ${slug}`
}

function schemaKey(schema: string): string {
  return `schema ${schema}`
}
