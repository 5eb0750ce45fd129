import { TenantryError } from '../../errors.js'
import { pendingMigrations } from '../../migration/plan.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { Slug } from '../../names/slug.js'
import type { Tenant, TenantStatus } from '../../registry/tenant.js'
import { bridgedBackup } from '../backup/backup-error.js'
import type { LifecycleParts } from '../create/create.js'
import { type SchemaMark, markOf } from '../schema-mark.js'
import { findSourceTenant } from '../source-tenant.js'

/** A tenant that is moved, or was about to be when a process ended. */
export interface MoveSource {
  readonly tenant: Tenant
  readonly schema: SchemaName
  readonly hasLedger: boolean
  /** What is noted of a move that has stopped it already. */
  readonly parked?: Parked
}

/** What the schema of a moved tenant says of itself. */
export interface Parked {
  /** What the tenant was. */
  readonly status: TenantStatus
  /** The name that the schema had. */
  readonly former: SchemaName
  /** The id that the tenant has in the other database. */
  readonly there: string
}

/**
 * Looks a tenant up that is to be moved.
 *
 * @throws `TENANT_NOT_FOUND`, `TENANT_STATUS`, `SCHEMA_MISSING`, `OPTIONS_INVALID`, `MOVE_REFUSED` for
 * one that has pending migrations
 */
export async function findMoveSource(parts: LifecycleParts, slug: Slug): Promise<MoveSource> {
  const { tenant, schema, isBridged, migrations, applied } = await findSourceTenant(
    parts,
    slug,
    'move',
  )
  if (isBridged) throw bridgedBackup(slug)
  const [pending] = pendingMigrations(schema, migrations, applied)
  if (pending !== undefined) throw notCurrent(tenant, pending.fileName)
  const parked = parkedIn(await markOf(parts.db, schema))
  return { tenant, schema, hasLedger: applied.length > 0, ...(parked && { parked }) }
}

/** What a mark says of a move, if it is that of one. */
export function parkedIn(mark: SchemaMark | undefined): Parked | undefined {
  if (mark?.kind !== 'moved') return undefined
  const [status = '', former = '', there = ''] = mark.notes ?? []
  if (status !== 'active' && status !== 'suspended') return undefined
  return { status, former: parseSchemaName(former), there }
}

/** The other way round. */
export function parkedMark({ status, former, there }: Parked): SchemaMark {
  return { kind: 'moved', at: new Date(), notes: [status, former, there] }
}

/** Both databases must have the same migrations: only then copies can be compared. */
export function notCurrent({ slug, schema }: Tenant, migration: string): TenantryError {
  return new TenantryError(
    'MOVE_REFUSED',
    `Tenant "${slug}" has not had migration ${migration}, which one of both databases would give it. ` +
      'Nothing was changed. Migrate it first, and let both routers have the same migrations.',
    { tenant: slug, schema, migration },
  )
}
