import type { PoolClient } from 'pg'
import { readLedger } from '../../migration/enter.js'
import { bridgeOf, loadSets } from '../../migration/layout.js'
import { type LedgerRow, digestOf, foreignLedger, readStates } from '../../migration/ledger.js'
import { pendingMigrations } from '../../migration/plan.js'
import { parseSchemaName } from '../../names/schema-name.js'
import type { Slug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create.js'
import { tenantNotFound } from '../not-found.js'
import { busy } from '../schema-lock.js'
import { requireNoPurge } from '../schema-mark.js'
import { schemaMissing } from '../standstill.js'
import { requireStatus } from '../status-change.js'
import { requireUnmoved } from '../unmoved.js'
import { bridgedBackup } from './backup-error.js'
import type { BackupSource } from './read-content.js'

/** The tenant as it was looked up before the transaction. */
export interface Source extends Omit<BackupSource, 'tenant' | 'path'> {
  readonly id: string
  readonly slug: Slug
  readonly applied: readonly LedgerRow[]
}

/**
 * Looks a tenant up that is to be backed up.
 *
 * @param engine `pg_dump` does not ask what the migrations of the tenant would make.
 * @throws `TENANT_NOT_FOUND`, `TENANT_STATUS`, `SCHEMA_MISSING`, `MIGRATION_UNKNOWN`, and for the
 * engine that is built in what says that the ledger is not that of these migrations
 */
export async function findSource(
  parts: LifecycleParts,
  slug: Slug,
  engine: 'built-in' | 'pg_dump',
): Promise<Source> {
  const { layout, registry, db } = parts
  const tenant = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireStatus(tenant, 'backup')
  const schema = parseSchemaName(tenant.schema)
  const owned = { schema, kind: 'tenant' as const }
  const isBridged = bridgeOf(layout, owned) !== undefined
  if (isBridged && engine === 'built-in') throw bridgedBackup(slug)
  const migrations = isBridged ? [] : (await loadSets(layout))(owned)
  const state = (await readStates(db, [{ schema, migrations }], true)).get(schema)
  if (state?.exists !== true) throw schemaMissing(schema)
  const { id } = tenant
  if (isBridged) return { id, slug, schema, applied: [] }
  if (state.foreign === true) throw foreignLedger(schema)
  if (engine === 'built-in') pendingMigrations(schema, migrations, state.applied)
  return { id, slug, schema, applied: state.applied }
}

/** The tenant may have been renamed, deleted or migrated before the snapshot was taken. */
export async function requireSameSource(
  { registry }: LifecycleParts,
  client: PoolClient,
  { slug, schema, applied }: Source,
): Promise<Tenant> {
  const now = await requireUnmoved(registry, client, { slug, schema, change: 'backup' })
  await requireNoPurge(client, schema)
  const rows = applied.length === 0 ? [] : await readLedger(client, schema)
  if (digestOf(rows) !== digestOf(applied)) throw busy(schema)
  return now
}
