/**
 * The router, scopes, the registry, runs over many schemas, and errors.
 *
 * @module tenantry
 */

export type {
  MessageTenant,
  MigrationMessage,
  MigrationResult,
  ScopeMessage,
  TenantAction,
  TenantMessage,
  TenantResult,
  TenantRows,
  TracedOutcome,
} from './diagnostics/channels.js'
export { ERROR_CODES, TenantryError, isTenantryError } from './errors.js'
export type { ErrorCode, ErrorFacts, MetadataIssue } from './errors.js'
export { TenantDomains } from './lifecycle/domain/tenant-domains.js'
export type { AddDomainOptions } from './lifecycle/domain/tenant-domains.js'
export type { ReceivingRouter, TenantArchives } from './lifecycle/tenant-archives.js'
export { Tenants } from './lifecycle/tenants.js'
export type {
  BackupAllOptions,
  BackupAllReport,
  FleetOptions,
  RestoreAllOptions,
} from './lifecycle/fleet-backup/fleet-options.js'
export type { MoveOptions, MoveReport } from './lifecycle/move/move-options.js'
export type { BackupOptions, BackupReport } from './lifecycle/backup/backup.js'
export type { RowEvent } from './lifecycle/backup/progress.js'
export type { ExportFormat, ExportOptions, ExportReport } from './lifecycle/export/export.js'
export type { CloneOptions } from './lifecycle/clone/clone.js'
export { AUDIT_KINDS } from './lifecycle/audit/finding.js'
export type { AuditFinding, AuditKind, AuditReport } from './lifecycle/audit/finding.js'
export type { CreateManyOptions } from './lifecycle/create/create-many.js'
export type { CreateTenant } from './lifecycle/create/create.js'
export type { CommittedHook, HookContext, TenantHooks, TransactionHook } from './lifecycle/hooks.js'
export type { MigrateHook, MigrateHookContext, MigrateHooks } from './migration/migrate-hooks.js'
export type { TransactionDb } from './migration/unit/lent-transaction.js'
export type { PurgeOptions } from './lifecycle/purge/purge.js'
export type { RestoreReport } from './lifecycle/restore/restore.js'
export type { RestoreOptions } from './lifecycle/restore/restore-plan.js'
export type { RenameOptions, RenameTenant } from './lifecycle/rename/rename.js'
export type { GuardOption } from './migration/guard/guard-option.js'
export { TenantSpares } from './lifecycle/spare/tenant-spares.js'
export type { SpareStatus } from './lifecycle/spare/tenant-spares.js'
export { Migrator } from './migration/migrator.js'
export type { RunEvent, RunReport, SchemaOutcome } from './migration/run/report.js'
export type {
  DownOptions,
  MarkOptions,
  MigrationName,
  PlanOptions,
  RunOptions,
  SelectOptions,
  StatusOptions,
  UpOptions,
} from './migration/run/run-options.js'
export type { SchemaPlan, SchemaStatus } from './migration/status.js'
export type { Atomicity } from './migration/step.js'
export type { ReferencePlace } from './migration/verify/reference.js'
export type { VerifyFinding, VerifyReport } from './migration/verify/verify.js'
export type { DomainName, HostName } from './names/domain-name.js'
export type { SchemaName } from './names/schema-name.js'
export type { Slug } from './names/slug.js'
export type { Queryable } from './postgres/queryable.js'
export type { IsolationLevel, TransactionOptions } from './postgres/transaction.js'
export { mappedRegistry } from './registry/mapped/mapped-registry.js'
export type {
  MappedColumns,
  MappedDomains,
  MappedRegistryOptions,
} from './registry/mapped/mapping.js'
export type { StatusValue } from './registry/mapped/status-words.js'
export type {
  ListedDomain,
  LookUpAnswer,
  LookUpQuestion,
  NewDomain,
  NewTenant,
  TenantChanges,
  TenantFilter,
  TenantNames,
  TenantRegistry,
} from './registry/registry.js'
export type { MetadataResult, MetadataSchema, SchemaIssue } from './registry/metadata-schema.js'
export { withSchemaOid } from './registry/schema-oid.js'
export type {
  Domain,
  Tenant,
  TenantMetadata,
  TenantOrSlug,
  TenantStatus,
} from './registry/tenant.js'
export { defineConfig } from './router/config.js'
export type { TenantryConfig } from './router/config.js'
export type { EachFunction, EachOptions } from './router/each.js'
export type { ExtensionsOptions } from './router/extension-options.js'
export type {
  Migrations,
  SchemaRouterOptions,
  SchemasOptions,
  ScopeConfig,
  ScopeSubject,
  StaticSchemaOptions,
} from './router/options.js'
export type { CacheOptions } from './router/cache-options.js'
export type { DomainOptions } from './router/domain-options.js'
export type { RequestAddress, RequestHeaders } from './router/request-address.js'
export type { Destination, Resolution } from './router/request-resolver.js'
export { SchemaRouter } from './router/schema-router.js'
export type { ScopeFunction } from './router/scope-function.js'
export type { ScopeOptions } from './scope/run-scope.js'
export type { QueryFunction, ScopedClient } from './scope/scoped-client.js'
export { TenantPool } from './scope/tenant-pool.js'
export { select } from './selector/selector.js'
export type {
  FleetSchema,
  PartOf,
  SchemaKind,
  Selector,
  TenantsFilter,
} from './selector/selector.js'
