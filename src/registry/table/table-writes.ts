import type { SchemaName } from '../../names/schema-name.js'
import type { TenantRegistry } from '../registry.js'
import { type DomainWrites, tableDomainWrites } from './domain-writes.js'
import { installTables } from './install.js'
import { type TenantWrites, tableTenantWrites } from './tenant-writes.js'

/** What a registry in the package's own tables does besides reading. */
export interface TableWrites extends TenantWrites, DomainWrites, Pick<TenantRegistry, 'install'> {}

/** Writes to the package's own tables, and the making of them. */
export function tableWrites(shared: SchemaName): TableWrites {
  return {
    install: (db) => installTables(db, shared),
    ...tableTenantWrites(shared),
    ...tableDomainWrites(shared),
  }
}
