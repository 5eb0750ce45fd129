import { type SchemaName, quoteLiteral } from '../names/schema-name.js'
import { lockKey } from '../postgres/advisory-lock.js'
import type { Queryable } from '../postgres/queryable.js'
import { REGISTRY_CHANGE_CHANNEL } from './change.js'
import type { TenantRegistry } from './registry.js'
import { REGISTRY_VERSION, registryTables, upgradeText, versionIn } from './table-ddl.js'
import { tableDomainReads, tableDomainWrites } from './table-domain.js'
import { tableTenantReads, tableTenantWrites } from './table-tenant.js'

/** The registry in the package's own two tables in the shared schema. */
export function tableRegistry(shared: SchemaName): TenantRegistry {
  return {
    channel: REGISTRY_CHANGE_CHANNEL,

    async install(db) {
      const version = await installedVersion(db, registryTables(shared).tenants)
      // Tables of a newer version are left to the processes that run it.
      if (version >= REGISTRY_VERSION) return
      // One text is one transaction; the lock keeps concurrent installers from colliding.
      const key = quoteLiteral(lockKey('registry', shared))
      await db.query(`select pg_advisory_xact_lock(${key}); ${upgradeText(shared, version)}`)
    },

    ...tableTenantReads(shared),
    ...tableTenantWrites(shared),
    ...tableDomainReads(shared),
    ...tableDomainWrites(shared),
  }
}

/**
 * Making the tables again would change nothing, but it needs the right to create schemas, and its
 * locks wait for every tenant that is being created.
 */
async function installedVersion(db: Queryable, table: string): Promise<number> {
  const { rows } = await db.query<{ note: string | null }>(
    `select obj_description(to_regclass($1), 'pg_class') as note`,
    [table],
  )
  return versionIn(rows[0]?.note)
}
