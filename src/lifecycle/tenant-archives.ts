import type { Readable, Writable } from 'node:stream'
import type { RunReport } from '../migration/run/report.js'
import { parseSlug } from '../names/slug.js'
import { type Tenant, type TenantMetadata, typed } from '../registry/tenant.js'
import { optionInvalid } from '../support/options.js'
import type { BackupOptions, BackupReport } from './backup/backup.js'
import type { LifecycleParts } from './create/create.js'
import type {
  BackupAllOptions,
  BackupAllReport,
  RestoreAllOptions,
} from './fleet-backup/fleet-options.js'
import type { MoveOptions, MoveReport } from './move/move-options.js'
import type { ExportOptions, ExportReport } from './export/export.js'
import { backupTenant, restoreTenant } from './on-demand.js'
import type { RestoreReport } from './restore/restore.js'
import type { RestoreOptions } from './restore/restore-plan.js'

/** A router, as far as tenants are brought to its database. */
export interface ReceivingRouter {
  readonly tenants: TenantArchives<object>
}

/** Backups of single tenants, the way back, and exports; a part of {@link Tenants}. */
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
   * With `{ engine: 'pg_dump' }` PostgreSQL's own program writes the file, which `pg_restore` works on
   * without this package and which has the structure in it, so any schema is taken. What else there is
   * to know is written beside it, to `<target>.json`.
   *
   * @param tenant Slug of a tenant that is active, suspended or deleted.
   * @param target The path of a file, such as `acme.tenantry.gz`, which is there only when it is whole;
   * or a stream, which is ended.
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_BUSY`,
   * `SCHEMA_MISSING`, `SCHEMA_DRIFT`, `MIGRATION_TAMPERED`, `MIGRATION_UNKNOWN`,
   * `MIGRATION_OUT_OF_ORDER`, `PG_DUMP_UNFIT`, `PG_DUMP_FAILED`, and the error of the target, such as
   * that of a full disk
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const backUp = (router: SchemaRouter) =>
   *   router.tenants.backup('acme', 'backups/acme.tenantry.gz', {
   *     signal: AbortSignal.timeout(600_000),
   *   })
   * @see https://www.postgresql.org/docs/current/sql-set-transaction.html
   * @see https://www.postgresql.org/docs/current/app-pgdump.html
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
   * An archive of `pg_dump` in its custom format is taken as well, also one that this package has not
   * made; then `as` is needed, and `verified` is `false` in the report.
   *
   * With `into`, another router, the tenant is restored in the database of that one.
   *
   * @param source The path of an archive, or a stream of one, which is read to its end or destroyed; of
   * `pg_dump` a path.
   * @throws `ARCHIVE_INVALID`, `ARCHIVE_NEWER`, `RESTORE_DIFFERS`, `NAME_INVALID`, `OPTIONS_INVALID`,
   * `METADATA_INVALID`, `TENANT_EXISTS`, `SCHEMA_EXISTS`, `DOMAIN_TAKEN`, `TENANT_NOT_FOUND`,
   * `TENANT_STATUS`, `TENANT_BUSY`, `POOL_STARVED`, `MIGRATION_UNKNOWN`, `MIGRATION_TAMPERED`,
   * `MIGRATION_OUT_OF_ORDER`, `MIGRATION_FAILED`, `HOOK_FAILED`, `PG_DUMP_UNFIT`, `RENAME_UNSAFE`; then
   * nothing was changed
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const lookAtLastWeek = (router: SchemaRouter) =>
   *   router.tenants.restore('backups/acme.tenantry.gz', { as: 'acme-last-week' })
   */
  async restore(
    source: string | Readable,
    { into, ...options }: RestoreOptions & { readonly into?: ReceivingRouter } = {},
  ): Promise<RestoreReport<Metadata>> {
    const parts = into === undefined ? this.#parts : TenantArchives.#partsOf('into', into)
    const { tenant, ...report } = await restoreTenant(parts, source, options)
    parts.lookUps.forgetTenant(tenant.slug)
    return { ...report, tenant: typed(tenant) }
  }

  /**
   * Writes an archive of each schema of a selection into a folder, a few at a time, each as
   * {@link TenantArchives.backup} does, and a manifest, `manifest.jsonl`, with the size and the SHA-256
   * of each. Each archive is of one moment; that of the next one is another.
   *
   * After a failure, or when the process was killed, call it again with the same folder: archives that
   * are whole by the manifest are `current`, the others are written. So another day's backup belongs
   * into another folder. Shared and static schemas are written by the engine that is built in, without
   * the registry, whose rows are in the archives of the tenants; those that no migrations make are `left`.
   *
   * @param folder The path of a folder, which is made if it is not there.
   * @throws `OPTIONS_INVALID`, `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `ARCHIVE_INVALID` for a manifest
   * of something else, `BACKUP_BUSY` while another process writes to the folder
   * @throws `RUN_FAILED` with the report, when a schema failed; the archives of the others are whole
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const backUpAll = (router: SchemaRouter, day: string) =>
   *   router.tenants.backupAll(`backups/${day}`, { exclude: ['demo'], concurrency: 8 })
   */
  async backupAll(folder: string, options: BackupAllOptions = {}): Promise<BackupAllReport> {
    const { backupAll } = await import('./fleet-backup/backup-all.js')
    return backupAll(this.#parts, folder, options)
  }

  /**
   * Restores all schemas of a folder that {@link TenantArchives.backupAll} has written, a few at a time,
   * each in a transaction of its own as {@link TenantArchives.restore} does: shared and static ones first,
   * which must not have been migrated yet. Where the folder has none, migrate them before.
   *
   * With `skipExisting` a second call does what the first one has left.
   *
   * @throws `OPTIONS_INVALID`, and `ARCHIVE_INVALID` for a folder without a manifest
   * @throws `RUN_FAILED` with the report, when a schema could not be restored: nothing of it was made,
   * and those that are `done` stay
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function rebuild(router: SchemaRouter, folder: string): Promise<void> {
   *   const { outcomes } = await router.tenants.restoreAll(folder, { skipExisting: true })
   *   console.log(`${outcomes.length} tenants`)
   * }
   */
  async restoreAll(folder: string, options: RestoreAllOptions = {}): Promise<RunReport> {
    const { restoreAll } = await import('./fleet-backup/restore-all.js')
    return restoreAll(this.#parts, folder, options)
  }

  /**
   * Writes a folder with the data of a tenant, for a customer who asks for them: a file for each table
   * and `tenant.json`, which has the tenant's row and domains, and of each table the columns with their
   * types, the number of rows and the SHA-256 of the file. All of it is as it was at one moment. It is
   * streamed; the memory does not grow with the tenant, which is served meanwhile, but not migrated.
   *
   * Unlike a backup it is made to be read by others and is not restored. So a schema may differ from its
   * migrations, and another tool may have migrated it. The ledger is left out.
   *
   * @param tenant Slug of a tenant that is active, suspended or deleted.
   * @param target The path of a folder, such as `acme-export`, which is there only when it is whole; one
   * that is there already must be empty.
   * @throws `NAME_INVALID`, `OPTIONS_INVALID` also for a target that is taken and for a table in `except`
   * that does not exist, `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_BUSY`, `SCHEMA_MISSING`; the error
   * of the server where a policy would hide rows from its user; and the error of the target, such as
   * that of a full disk. Then the folder is not there.
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const handOver = (router: SchemaRouter) =>
   *   router.tenants.export('acme', 'exports/acme', { format: 'csv', except: ['outbox'] })
   * @see https://www.postgresql.org/docs/current/sql-copy.html
   */
  async export(tenant: string, target: string, options: ExportOptions): Promise<ExportReport> {
    const { exportTenant } = await import('./export/export.js')
    return exportTenant(this.#parts, { tenant, target }, options)
  }

  /**
   * Moves a tenant to another database: its row and domains, its schema and rows. It is served and
   * written while a first copy is made; then it is stopped, and only the tables that were written
   * meanwhile are copied again. All rows are compared before the other database serves it.
   *
   * The tenant stays here, suspended and under another schema's name, until you delete it by
   * {@link Tenants.delete}; {@link TenantArchives.takeBack} serves it again from what it had. If a
   * process ends in between, the next call goes on where it ended, and no call serves it twice.
   *
   * Scopes that are open in the moment of the stop are waited for; those that come after it fail with
   * `TENANT_SUSPENDED` or `SCHEMA_MISSING` until requests reach the other database. Takes two clients of
   * each pool. Both routers must have the same migrations, and the tenant all of them.
   *
   * @param tenant Slug of a tenant that is active or suspended.
   * @throws `NAME_INVALID`, `OPTIONS_INVALID`, `TENANT_NOT_FOUND`, `TENANT_STATUS`, `TENANT_EXISTS`,
   * `TENANT_BUSY`, `MOVE_REFUSED`, `SCHEMA_DRIFT`, `SCHEMA_EXISTS`, `SCHEMA_MISSING`, `DOMAIN_TAKEN`,
   * `RESTORE_DIFFERS`, `METADATA_INVALID`, `MIGRATION_UNKNOWN`, `MIGRATION_TAMPERED`, `HOOK_FAILED`;
   * then the tenant is served from here as before
   * @throws `MOVE_UNFINISHED` when it is not
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function toNewServer(here: SchemaRouter, there: SchemaRouter): Promise<void> {
   *   const { rows, stoppedMs } = await here.tenants.move('acme', { to: there })
   *   console.log(`${rows} rows; not served for ${Math.round(stoppedMs)} ms`)
   *   // Once requests reach the other one, and all is well there:
   *   await here.tenants.delete('acme')
   * }
   */
  async move(tenant: string, options: MoveOptions<ReceivingRouter>): Promise<MoveReport<Metadata>> {
    const { moveTenant } = await import('./move/move.js')
    const to = TenantArchives.#partsOf('to', options.to)
    const report = await moveTenant({ from: this.#parts, to }, tenant, options)
    return { ...report, tenant: typed(report.tenant), source: typed(report.source) }
  }

  /**
   * Serves a tenant again that was moved to another database, from what it had when it was stopped:
   * what was written there since is not in it. Delete it there first.
   *
   * @throws `NAME_INVALID`, `TENANT_NOT_FOUND`, `TENANT_BUSY`, `SCHEMA_EXISTS`, and `TENANT_STATUS` for a
   * tenant that was not moved
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function undoMove(here: SchemaRouter, there: SchemaRouter): Promise<void> {
   *   await there.tenants.delete('acme')
   *   await here.tenants.takeBack('acme')
   * }
   */
  async takeBack(slug: string): Promise<Tenant<Metadata>> {
    const { unparkTenant } = await import('./move/park.js')
    const tenant = await unparkTenant(this.#parts, parseSlug(slug))
    this.#parts.lookUps.forgetTenant(tenant.slug)
    return typed(tenant)
  }

  /** What is behind a router of this copy of the package. @throws `OPTIONS_INVALID` */
  static #partsOf(option: string, router: unknown): LifecycleParts {
    if (typeof router === 'object' && router !== null && 'tenants' in router) {
      const { tenants } = router
      if (typeof tenants === 'object' && tenants !== null && #parts in tenants)
        return tenants.#parts
    }
    throw optionInvalid(option, `Option "${option}" must be the SchemaRouter of another database.`)
  }
}
