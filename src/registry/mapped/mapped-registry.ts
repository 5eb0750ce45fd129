import type { TenantryError } from '../../errors.js'
import type { Queryable } from '../../postgres/queryable.js'
import { optionInvalid } from '../../support/options.js'
import { REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { TenantRegistry } from '../registry.js'
import type { TenantMetadata } from '../tenant.js'
import { catalogCheck } from './catalog-check.js'
import { mappedDomainReads } from './domain-reads.js'
import { mappedDomainWrites } from './domain-writes.js'
import { type MappedRegistryOptions, type Mapping, resolveMapping } from './mapping.js'
import { mappedTenantReads } from './tenant-reads.js'
import { mappedTenantWrites } from './tenant-writes.js'

/**
 * Makes a registry of the service's own table, to which it adds nothing.
 *
 * The columns are compared with the catalog when the registry is used for the first time; until the
 * table is there, it is read as empty. What the mapping has no place for is refused with
 * `REGISTRY_UNSUPPORTED`, before anything is changed. Rows that the service changes itself are known
 * to other processes when it says so: `select pg_notify('tenantry_registry', slug)`.
 *
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`
 * @example
 * import { SchemaRouter, mappedRegistry } from 'tenantry'
 *
 * const router = new SchemaRouter({
 *   connectionString: process.env.DATABASE_URL ?? 'postgres://localhost/app',
 *   registry: mappedRegistry({
 *     table: 'public.customers',
 *     columns: { id: 'id', slug: 'subdomain', schema: 'schema_name', status: 'state' },
 *     statuses: { active: ['live', 'trial'], suspended: 'unpaid', deleted: 'gone' },
 *   }),
 * })
 * console.log(await router.tenants.list())
 */
export function mappedRegistry<Metadata extends object = TenantMetadata>(
  options: MappedRegistryOptions<Metadata>,
): TenantRegistry<Metadata> {
  const untyped: MappedRegistryOptions<object> = options
  const mapping = resolveMapping(untyped)
  const isThere = catalogCheck(mapping)
  const registry: TenantRegistry<object> = {
    channel: REGISTRY_CHANGE_CHANNEL,
    tables: [mapping.tenants, mapping.domains].flatMap((table) => table?.quoted ?? []),
    install: async (db) => void (await isThere(db)),
    ...checkedReads(mapping, isThere),
    ...checkedWrites(mapping, isThere),
  }
  // What the service says of its metadata is for the compiler only.
  return registry as TenantRegistry<Metadata>
}

type Question = (db: Queryable) => Promise<boolean>

type Reads = Required<
  Pick<TenantRegistry, 'findBySlug' | 'list' | 'lookUp' | 'domainsOf' | 'listDomains'>
>

function checkedReads(mapping: Mapping, isThere: Question): Reads {
  const reads: Reads = { ...mappedTenantReads(mapping), ...mappedDomainReads(mapping) }
  return {
    findBySlug: async (db, slug) => ((await isThere(db)) ? reads.findBySlug(db, slug) : undefined),
    list: async (db, filter) => ((await isThere(db)) ? reads.list(db, filter) : []),
    lookUp: async (db, question) =>
      (await isThere(db)) ? reads.lookUp(db, question) : { tenants: [], domains: [] },
    domainsOf: async (db, slug) => ((await isThere(db)) ? reads.domainsOf(db, slug) : []),
    listDomains: async (db) => ((await isThere(db)) ? reads.listDomains(db) : []),
  }
}

type Writes = Omit<TenantRegistry, 'channel' | 'tables' | 'install' | keyof Reads>

function checkedWrites(mapping: Mapping, isThere: Question): Writes {
  const writes: Writes = { ...mappedTenantWrites(mapping), ...mappedDomainWrites(mapping) }
  const checked =
    <Args extends readonly unknown[], R>(
      write: (db: Queryable, ...args: Args) => Promise<R>,
    ): ((db: Queryable, ...args: Args) => Promise<R>) =>
    async (db, ...args) => {
      if (!(await isThere(db))) throw tableMissing(mapping)
      return write(db, ...args)
    }
  return {
    insert: checked(writes.insert),
    update: checked(writes.update),
    rename: checked(writes.rename),
    setStatus: checked(writes.setStatus),
    remove: checked(writes.remove),
    addDomain: checked(writes.addDomain),
    removeDomain: checked(writes.removeDomain),
    setPrimaryDomain: checked(writes.setPrimaryDomain),
    verifyDomain: checked(writes.verifyDomain),
  }
}

function tableMissing({ tenants, domains }: Mapping): TenantryError {
  const names = [tenants, domains].flatMap((table) => (table ? [`"${table.given}"`] : []))
  return optionInvalid(
    'table',
    `The registry needs ${names.join(' and ')} in the database, and it is not there. Correct the ` +
      'name, or run the migrations that create it first.',
  )
}
