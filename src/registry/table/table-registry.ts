import type { SchemaName } from '../../names/schema-name.js'
import { REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { TenantRegistry } from '../registry.js'
import { tableDomainReads } from './domain-reads.js'
import type { TableWrites } from './table-writes.js'
import { tableTenantReads } from './tenant-reads.js'

/** The registry in the package's own two tables in the shared schema. */
export function tableRegistry(shared: SchemaName): TenantRegistry {
  // Most processes of a service only read: what writes is loaded by the first write.
  const writes = async (): Promise<TableWrites> =>
    (await import('./table-writes.js')).tableWrites(shared)
  return {
    channel: REGISTRY_CHANGE_CHANNEL,

    ...tableTenantReads(shared),
    ...tableDomainReads(shared),

    install: async (...given) => (await writes()).install(...given),
    insert: async (...given) => (await writes()).insert(...given),
    update: async (...given) => (await writes()).update(...given),
    rename: async (...given) => (await writes()).rename(...given),
    setStatus: async (...given) => (await writes()).setStatus(...given),
    remove: async (...given) => (await writes()).remove(...given),
    addDomain: async (...given) => (await writes()).addDomain(...given),
    removeDomain: async (...given) => (await writes()).removeDomain(...given),
    setPrimaryDomain: async (...given) => (await writes()).setPrimaryDomain(...given),
    verifyDomain: async (...given) => (await writes()).verifyDomain(...given),
  }
}
