import type { Readable, Writable } from 'node:stream'
import type { TenantMetadata } from '../registry/tenant.js'
import { typed } from '../registry/tenant.js'
import type { BackupOptions, BackupReport } from './backup/backup.js'
import type { LifecycleParts } from './create.js'
import { backupTenant, restoreTenant } from './on-demand.js'
import type { RestoreReport } from './restore/restore.js'
import type { RestoreOptions } from './restore/restore-plan.js'

/** Backups of single tenants, and the way back; a part of {@link Tenants}. */
export abstract class TenantArchives<Metadata extends object = TenantMetadata> {
  readonly #parts: LifecycleParts

  /** @internal Made by the router. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  /**
   * Writes an archive of a tenant: its row and domains, its ledger, and the rows of all its tables as
   * they were at one moment, with a checksum for each table. It is compressed and streamed; the memory
   * does not grow with the tenant. The tenant is served meanwhile, but not migrated.
   *
   * The structure is that of its migrations, so a schema that differs from them is refused. Of a
   * restore it is verified that structure and rows became what they were.
   *
   * @param tenant Slug of a tenant that is active, suspended or deleted.
   * @param target The path of a file, such as `acme.tenantry.gz`, which is there only when it is whole;
   * or a stream, which is ended.
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_BUSY`,
   * `SCHEMA_MISSING`, `SCHEMA_DRIFT`, `MIGRATION_TAMPERED`, `MIGRATION_UNKNOWN`,
   * `MIGRATION_OUT_OF_ORDER`, and the error of the target, such as that of a full disk
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const backUp = (router: SchemaRouter) =>
   *   router.tenants.backup('acme', 'backups/acme.tenantry.gz', {
   *     signal: AbortSignal.timeout(600_000),
   *   })
   * @see https://www.postgresql.org/docs/current/sql-set-transaction.html
   */
  backup(
    tenant: string,
    target: string | Writable,
    options: BackupOptions = {},
  ): Promise<BackupReport> {
    return backupTenant(this.#parts, { tenant, target }, options)
  }

  /**
   * Restores a tenant from an archive, in one transaction: row and domains, schema, rows, and then the
   * migrations that came after the backup. Structure and rows are compared with the archive before the
   * commit.
   *
   * With `replace` a tenant that exists gets the schema of the archive; its row and its domains stay.
   * Its former schema is kept, and is yours to drop. Needs two clients of the pool.
   *
   * A tenant that was backed up while it was suspended or deleted is suspended.
   *
   * @param source The path of an archive, or a stream of one, which is read to its end or destroyed.
   * @throws `ARCHIVE_INVALID`, `ARCHIVE_NEWER`, `RESTORE_DIFFERS`, `NAME_INVALID`, `OPTIONS_INVALID`,
   * `METADATA_INVALID`, `TENANT_EXISTS`, `SCHEMA_EXISTS`, `DOMAIN_TAKEN`, `TENANT_NOT_FOUND`,
   * `TENANT_STATUS`, `TENANT_BUSY`, `POOL_STARVED`, `MIGRATION_UNKNOWN`, `MIGRATION_TAMPERED`,
   * `MIGRATION_OUT_OF_ORDER`, `MIGRATION_FAILED`, `HOOK_FAILED`; then nothing was changed
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const lookAtLastWeek = (router: SchemaRouter) =>
   *   router.tenants.restore('backups/acme.tenantry.gz', { as: 'acme-last-week' })
   */
  async restore(
    source: string | Readable,
    options: RestoreOptions = {},
  ): Promise<RestoreReport<Metadata>> {
    const { tenant, ...report } = await restoreTenant(this.#parts, source, options)
    this.#parts.lookUps.forgetTenant(tenant.slug)
    return { ...report, tenant: typed(tenant) }
  }
}
