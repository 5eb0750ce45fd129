import type { SpareSchemas } from '../../migration/spares.js'
import type { SpareParts } from './make-spare.js'

/** Spares, as runs of migrations see them; what they need is loaded by the first run. */
export function lateSpares(parts: SpareParts): SpareSchemas {
  const spares = async (): Promise<SpareSchemas> =>
    (await import('./migrated-spares.js')).migratedSpares(parts)
  return {
    list: async (db) => (await spares()).list(db),
    has: async (db, schema) => (await spares()).has(db, schema),
    drop: async (schema) => (await spares()).drop(schema),
    settle: async (schema, migrations) => (await spares()).settle(schema, migrations),
  }
}
