import type { PoolClient } from 'pg'
import type { LedgerRow } from '../../migration/ledger.js'
import { pendingMigrations } from '../../migration/plan.js'
import type { Slug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import type { LifecycleParts } from '../create/create.js'
import { requireNoPurge } from '../schema-mark.js'
import { findSourceTenant, requireSameLedger } from '../source-tenant.js'
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
  const { tenant, schema, isBridged, migrations, applied } = await findSourceTenant(
    parts,
    slug,
    'backup',
  )
  if (engine === 'built-in') {
    if (isBridged) throw bridgedBackup(slug)
    pendingMigrations(schema, migrations, applied)
  }
  return { id: tenant.id, slug, schema, applied }
}

/** The tenant may have been renamed, deleted or migrated before the snapshot was taken. */
export async function requireSameSource(
  { registry }: LifecycleParts,
  client: PoolClient,
  { slug, schema, applied }: Source,
): Promise<Tenant> {
  const now = await requireUnmoved(registry, client, { slug, schema, change: 'backup' })
  await requireNoPurge(client, schema)
  await requireSameLedger(client, schema, applied)
  return now
}
