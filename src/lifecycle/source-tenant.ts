import type { PoolClient } from 'pg'
import { readLedger } from '../migration/unit/enter.js'
import { bridgeOf, loadSets } from '../migration/layout.js'
import { type LedgerRow, digestOf, foreignLedger, readStates } from '../migration/ledger.js'
import type { Migration } from '../migration/source.js'
import { type SchemaName, parseSchemaName } from '../names/schema-name.js'
import type { Slug } from '../names/slug.js'
import type { Tenant } from '../registry/tenant.js'
import type { LifecycleParts } from './create/create.js'
import { tenantNotFound } from './not-found.js'
import { busy } from './schema-lock.js'
import { schemaMissing } from './standstill.js'
import { type StatusChange, requireStatus } from './status-change.js'

/** A tenant that something is read from, as it was looked up before the transaction. */
export interface SourceTenant {
  readonly tenant: Tenant
  readonly schema: SchemaName
  /** Whether another tool migrates it: then nothing is said of migrations. */
  readonly isBridged: boolean
  readonly migrations: readonly Migration[]
  /** Nothing where the schema was made elsewhere. */
  readonly applied: readonly LedgerRow[]
}

/**
 * Looks a tenant up that is to be copied in some way.
 *
 * @throws `TENANT_NOT_FOUND`, `TENANT_STATUS`, `SCHEMA_MISSING`, `MIGRATION_UNKNOWN` for the ledger of
 * another tool
 */
export async function findSourceTenant(
  { layout, registry, db }: LifecycleParts,
  slug: Slug,
  change: StatusChange,
): Promise<SourceTenant> {
  const tenant = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireStatus(tenant, change)
  const schema = parseSchemaName(tenant.schema)
  const owned = { schema, kind: 'tenant' as const }
  const isBridged = bridgeOf(layout, owned) !== undefined
  const migrations = isBridged ? [] : (await loadSets(layout))(owned)
  const state = (await readStates(db, [{ schema, migrations }], true)).get(schema)
  if (state?.exists !== true) throw schemaMissing(schema)
  if (isBridged) return { tenant, schema, isBridged, migrations, applied: [] }
  if (state.foreign === true) throw foreignLedger(schema)
  return { tenant, schema, isBridged, migrations, applied: state.applied }
}

/**
 * Requires that a schema has had no migration since it was looked up.
 *
 * @throws `TENANT_BUSY`
 */
export async function requireSameLedger(
  client: PoolClient,
  schema: SchemaName,
  applied: readonly LedgerRow[],
): Promise<void> {
  const rows = applied.length === 0 ? [] : await readLedger(client, schema)
  if (digestOf(rows) !== digestOf(applied)) throw busy(schema)
}
