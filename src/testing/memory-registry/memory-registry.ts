import { REGISTRY_CHANGE_CHANNEL } from '../../registry/change.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { TenantMetadata } from '../../registry/tenant.js'
import { memoryDomains } from './memory-domains.js'
import { NOBODY } from './memory-state.js'
import { memoryTenants } from './memory-tenants.js'
import { TransactionJournal } from '../registry-suite/transaction-journal.js'

/**
 * Makes a registry for tests that keeps tenants and domains in the memory of the process.
 *
 * It makes no table. What is written in a transaction is seen by others after the commit, and by
 * nobody after a rollback; schemas are made in the database as ever. Several routers of one process
 * can share one; it ends with the process, and needs a server that accepts writes.
 *
 * @example
 * import { SchemaRouter } from 'tenantry'
 * import { memoryRegistry } from 'tenantry/testing'
 *
 * const router = new SchemaRouter({
 *   connectionString: process.env.DATABASE_URL ?? 'postgres://localhost/test',
 *   registry: memoryRegistry(),
 * })
 * await router.tenants.create({ slug: 'acme' })
 * await router.close()
 */
export function memoryRegistry<
  Metadata extends object = TenantMetadata,
>(): TenantRegistry<Metadata> {
  const journal = new TransactionJournal(NOBODY, REGISTRY_CHANGE_CHANNEL)
  const registry: TenantRegistry<object> = {
    channel: REGISTRY_CHANGE_CHANNEL,
    install: async () => {},
    ...memoryTenants(journal),
    ...memoryDomains(journal),
  }
  // What the service says of its metadata is for the compiler only.
  return registry as TenantRegistry<Metadata>
}
