import { LintFinding, MigrationOrigin } from './migrate.js'
import { Readable, Writable } from 'node:stream'
import { ClientBase, Pool, PoolConfig, QueryResult, QueryResultRow } from 'pg'

export declare const AUDIT_KINDS: readonly [
  'create-unfinished',
  'domain-unreachable',
  'domain-without-tenant',
  'ledger-without-tenant',
  'mark-contradicts',
  'name-invalid',
  'names-differ-by-case',
  'purge-unfinished',
  'schema-of-several',
  'schema-reserved',
  'schema-without-tenant',
  'tenant-arriving',
  'tenant-deleted',
  'tenant-moved',
  'tenant-provisioning',
  'tenant-without-schema',
]

export interface AddDomainOptions {
  readonly verified?: boolean
}

export type Atomicity = 'schema' | 'migration'

export interface AuditFinding {
  readonly kind: AuditKind
  readonly tenant?: string
  readonly status?: TenantStatus
  readonly schema?: string
  readonly domain?: string
  readonly names?: readonly string[]
  readonly since?: Date
  readonly busy?: true
  readonly message: string
  readonly repair: string
}

export type AuditKind = (typeof AUDIT_KINDS)[number]

export interface AuditReport {
  readonly findings: readonly AuditFinding[]
  readonly tenants: number
  readonly schemas: number
}

export interface BackupAllOptions
  extends FleetOptions, SelectOptions, Pick<BackupOptions, 'engine' | 'pgDump'> {
  readonly canary?: number
}

export interface BackupAllReport extends RunReport {
  readonly folder: string
  readonly left: readonly string[]
}

export interface BackupOptions {
  readonly engine?: 'built-in' | 'pg_dump'
  readonly pgDump?: string
  readonly lockTimeout?: number
  readonly onEvent?: (event: RowEvent) => void
  readonly signal?: AbortSignal
}

export interface BackupReport {
  readonly tenant: string
  readonly schema: string
  readonly version: number
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

export interface CacheOptions {
  readonly ttl?: number
  readonly maxEntries?: number
  readonly listen?:
    | boolean
    | {
        readonly connectionString: string
      }
}

export interface CloneOptions {
  readonly data?: boolean | readonly string[]
  readonly lockTimeout?: number
}

export type CommittedHook<Metadata = TenantMetadata> = (
  context: Pick<HookContext<Metadata>, 'tenant'>,
) => Promise<unknown> | void

export interface CreateManyOptions {
  readonly concurrency?: number
  readonly onFailure?: 'continue' | 'stop'
  readonly signal?: AbortSignal
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

export interface CreateTenant<Metadata = TenantMetadata> {
  readonly slug: string
  readonly name?: string
  readonly domains?: readonly string[]
  readonly metadata?: Metadata
}

export type Destination<Metadata = TenantMetadata> =
  | {
      readonly kind: 'tenant'
      readonly tenant: Tenant<Metadata>
      readonly domain: Domain
      readonly redirect?: Domain
    }
  | {
      readonly kind: 'static'
      readonly schema: string
    }

export interface Domain {
  readonly tenant: string
  readonly host: string
  readonly path: string
  readonly primary: boolean
  readonly verified: boolean
}

export interface DomainName {
  readonly host: HostName
  readonly path: string
}

export interface DomainOptions {
  readonly base?: string | readonly string[]
  readonly ignoreWww?: boolean
  readonly requireVerified?: boolean
  readonly trustForwardedHost?: boolean
}

export interface DownOptions extends RunOptions {
  readonly to?: MigrationName
  readonly steps?: number
}

export declare const ERROR_CODES: readonly [
  'ARCHIVE_INVALID',
  'ARCHIVE_NEWER',
  'BACKUP_BUSY',
  'CLONE_DIFFERS',
  'CONFIG_INVALID',
  'DOMAIN_NOT_FOUND',
  'DOMAIN_TAKEN',
  'EMBEDDED_POSTGRES_FAILED',
  'EMBEDDED_POSTGRES_MISSING',
  'EXTENSION_DROPPED',
  'EXTENSION_MISPLACED',
  'EXTENSION_MISSING',
  'EXTENSION_UNAVAILABLE',
  'HOOK_FAILED',
  'LINT_FAILED',
  'LINT_PARSER_MISSING',
  'METADATA_INVALID',
  'MIGRATION_ESCAPED',
  'MIGRATION_FAILED',
  'MIGRATION_IRREVERSIBLE',
  'MIGRATION_OUT_OF_ORDER',
  'MIGRATION_RUN_FAILED',
  'MIGRATION_SOURCE_INVALID',
  'MIGRATION_TAMPERED',
  'MIGRATION_UNKNOWN',
  'MOVE_REFUSED',
  'MOVE_UNFINISHED',
  'NAME_INVALID',
  'OPTIONS_INVALID',
  'PG_DUMP_FAILED',
  'PG_DUMP_UNFIT',
  'POOLER_IN_BETWEEN',
  'POOL_STARVED',
  'REGISTRY_UNSUPPORTED',
  'RENAME_UNSAFE',
  'RESTORE_DIFFERS',
  'RUN_FAILED',
  'SCHEMA_DRIFT',
  'SCHEMA_EXISTS',
  'SCHEMA_IN_USE',
  'SCHEMA_MISSING',
  'SCOPE_BYPASSED',
  'SCOPE_CLOSED',
  'SELECTOR_AMBIGUOUS',
  'SELECTOR_UNKNOWN',
  'SPARE_UNSAFE',
  'STATEMENT_REFUSED',
  'TENANT_BUSY',
  'TENANT_EXISTS',
  'TENANT_NOT_FOUND',
  'TENANT_NO_SCOPE',
  'TENANT_STATUS',
  'TENANT_SUSPENDED',
  'TENANT_UNRESOLVED',
  'TRANSACTION_LEFT_OPEN',
  'TRANSACTION_ROLLED_BACK',
]

export type EachFunction<Metadata = TenantMetadata> = (
  db: ScopedClient,
  schema: FleetSchema<Metadata>,
) => Promise<unknown>

export interface EachOptions extends Pick<
  RunOptions,
  'exclude' | 'limit' | 'onFailure' | 'canary' | 'onEvent'
> {
  readonly concurrency?: number
  readonly transaction?: boolean
  readonly signal?: AbortSignal
  readonly cancel?: AbortSignal
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface ErrorFacts {
  readonly tenant?: string | undefined
  readonly schema?: string | undefined
  readonly domain?: string | undefined
  readonly extension?: string | undefined
  readonly option?: string | undefined
  readonly migration?: string | undefined
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly statement?: string | undefined
  readonly sqlState?: string | undefined
  readonly candidates?: readonly string[] | undefined
  readonly log?: string | undefined
  readonly report?: unknown
  readonly findings?: unknown
  readonly issues?: readonly MetadataIssue[] | undefined
}

export type ExportFormat = 'csv' | 'ndjson'

export interface ExportOptions {
  readonly format: ExportFormat
  readonly except?: readonly string[]
  readonly lockTimeout?: number
  readonly onEvent?: (event: RowEvent) => void
  readonly signal?: AbortSignal
}

export interface ExportReport {
  readonly tenant: string
  readonly schema: string
  readonly folder: string
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

export interface ExtensionsOptions {
  readonly schema?: string
  readonly create?: readonly string[]
}

export interface FleetOptions {
  readonly concurrency?: number
  readonly lockTimeout?: number
  readonly onFailure?: 'continue' | 'stop'
  readonly signal?: AbortSignal
  readonly cancel?: AbortSignal
  readonly onOutcome?: (outcome: SchemaOutcome) => void
  readonly onEvent?: (event: RunEvent) => void
}

export interface FleetSchema<Metadata = TenantMetadata> {
  readonly schema: SchemaName
  readonly kind: SchemaKind
  readonly tenant?: Tenant<Metadata>
  readonly spare?: true
}

export type GuardOption =
  | {
      readonly allow: readonly string[]
    }
  | false

export interface HookContext<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  readonly db: TransactionDb
}

export type HostName = string & {
  readonly [hostName]: true
}

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

export interface ListedDomain extends Omit<Domain, 'tenant'> {
  readonly tenant: string | undefined
}

export interface LookUpAnswer<Metadata = TenantMetadata> {
  readonly tenants: readonly Tenant<Metadata>[]
  readonly domains: readonly Domain[]
}

export interface LookUpQuestion {
  readonly slugs: readonly Slug[]
  readonly hosts: readonly HostName[]
}

export interface MappedColumns {
  readonly id: string
  readonly slug: string
  readonly schema?: string
  readonly name?: string
  readonly status?: string
  readonly metadata?: string
  readonly createdAt?: string
  readonly updatedAt?: string
}

export interface MappedDomains {
  readonly table: string
  readonly columns: {
    readonly tenant: string
    readonly host: string
    readonly path?: string
    readonly primary?: string
    readonly verified?: string
    readonly verifiedAt?: string
  }
}

export interface MappedRegistryOptions<Metadata = TenantMetadata> {
  readonly table: string
  readonly columns: MappedColumns
  readonly schemaPrefix?: string
  readonly statuses?: Readonly<Partial<Record<TenantStatus, StatusValue | readonly StatusValue[]>>>
  values?(this: void, tenant: NewTenant<Metadata>): Readonly<Record<string, unknown>>
  readonly domains?: MappedDomains
}

export interface MarkOptions extends RunOptions {
  readonly to: MigrationName
}

export interface MessageTenant {
  readonly id: string
  readonly slug: string
}

export interface MetadataIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export type MetadataResult<Output> =
  | {
      readonly value: Output
      readonly issues?: undefined
    }
  | {
      readonly issues: readonly SchemaIssue[]
    }

export interface MetadataSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => MetadataResult<Output> | Promise<MetadataResult<Output>>
    readonly types?:
      | {
          readonly input: Input
          readonly output: Output
        }
      | undefined
  }
}

export type MigrateHook<Metadata = TenantMetadata> = (
  context: MigrateHookContext<Metadata>,
) => Promise<unknown> | void

export interface MigrateHookContext<Metadata = TenantMetadata> {
  readonly schema: string
  readonly kind: SchemaKind
  readonly tenant: Tenant<Metadata> | undefined
  readonly direction: 'up' | 'down'
  readonly db: TransactionDb
}

export interface MigrateHooks<Metadata = TenantMetadata> {
  readonly beforeMigrate?: MigrateHook<Metadata>
  readonly afterMigrate?: MigrateHook<Metadata>
}

export interface MigrationMessage extends TracedOutcome<MigrationResult> {
  readonly schema: string
  readonly kind: 'shared' | 'static' | 'tenant'
  readonly tenant: MessageTenant | undefined
  readonly direction: 'up' | 'down' | 'mark'
}

export type MigrationName = string | number

export interface MigrationResult {
  readonly status: 'done' | 'current' | 'skipped'
  readonly applied: readonly string[]
}

export type Migrations = string | MigrationOrigin

export declare class Migrator {
  #private
  protected constructor()
  up(options?: UpOptions): Promise<RunReport>
  down(options?: DownOptions): Promise<RunReport>
  redo(options?: RunOptions): Promise<RunReport>
  markApplied(options: MarkOptions): Promise<RunReport>
  plan(options?: PlanOptions): Promise<readonly SchemaPlan[]>
  status(options?: StatusOptions): Promise<readonly SchemaStatus[]>
  statuses(options?: StatusOptions): AsyncGenerator<SchemaStatus, void, undefined>
  verify(options?: SelectOptions): Promise<VerifyReport>
}

export interface MoveOptions<Target> {
  readonly to: Target
  readonly lockTimeout?: number
  readonly onEvent?: (event: RowEvent) => void
  readonly signal?: AbortSignal
}

export interface MoveReport<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  readonly source: Tenant<Metadata>
  readonly tables: number
  readonly rows: number
  readonly recopied: readonly string[]
  readonly stoppedMs: number
}

export interface NewDomain extends DomainName {
  readonly primary: boolean
  readonly verified: boolean
}

export interface NewTenant<Metadata = TenantMetadata> {
  readonly slug: Slug
  readonly name: string
  readonly schema: SchemaName
  readonly metadata: Metadata
}

export type PartOf<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? {
        readonly [Key in keyof T]?: PartOf<T[Key]>
      }
    : T

export interface PlanOptions extends StatusOptions, Pick<UpOptions, 'to' | 'atomicity'> {}

export interface PurgeOptions {
  readonly confirm: string
  readonly lockTimeout?: number
}

export type QueryFunction = ClientBase['query']

export interface Queryable {
  query<R extends QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<R>>
}

export interface ReceivingRouter {
  readonly tenants: TenantArchives<object>
}

export interface ReferencePlace {
  readonly place: 'database' | 'transaction'
  readonly reason?: string
}

export interface RenameOptions {
  readonly lockTimeout?: number
  readonly force?: boolean
}

export interface RenameTenant {
  readonly slug?: string
  readonly schema?: string
}

export interface RequestAddress {
  readonly host?: string | undefined
  readonly path?: string | undefined
  readonly headers?: RequestHeaders | undefined
}

export type RequestHeaders =
  | {
      readonly [name: string]: string | readonly string[] | undefined
    }
  | {
      get(name: string): string | null
    }

export interface Resolution<Metadata = TenantMetadata> {
  readonly destination: Destination<Metadata> | undefined
}

export interface RestoreAllOptions extends FleetOptions {
  readonly skipExisting?: boolean
}

export interface RestoreOptions {
  readonly as?: string
  readonly replace?: boolean
  readonly pgRestore?: string
  readonly lockTimeout?: number
  readonly onEvent?: (event: RowEvent) => void
  readonly signal?: AbortSignal
}

export interface RestoreReport<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  readonly former?: string
  readonly migrated: readonly string[]
  readonly verified: boolean
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

export interface RowEvent {
  readonly kind: 'rows' | 'table'
  readonly table: string
  readonly bytes: number
  readonly rows?: number
}

export type RunEvent =
  | {
      readonly type: 'selected'
      readonly schemas: number
    }
  | {
      readonly type: 'finding'
      readonly finding: LintFinding
    }
  | {
      readonly type: 'unchecked'
      readonly error: Error
    }
  | {
      readonly type: 'started'
      readonly schema: string
      readonly attempt: number
    }
  | {
      readonly type: 'retried'
      readonly schema: string
      readonly attempt: number
      readonly error: Error
      readonly waitMs: number
    }
  | {
      readonly type: 'finished'
      readonly schema: string
      readonly outcome: SchemaOutcome
    }

export interface RunOptions extends StatusOptions {
  readonly concurrency?: number
  readonly lockTimeout?: number
  readonly statementTimeout?: number
  readonly atomicity?: Atomicity
  readonly onFailure?: 'continue' | 'stop'
  readonly canary?: number
  readonly guard?: GuardOption
  readonly lint?: 'error' | 'warn' | false
  readonly signal?: AbortSignal
  readonly cancel?: AbortSignal
  readonly onOutcome?: (outcome: SchemaOutcome) => void
  readonly onEvent?: (event: RunEvent) => void
}

export interface RunReport {
  readonly outcomes: readonly SchemaOutcome[]
  readonly durationMs: number
  readonly verified?: VerifyReport
}

export interface SchemaIssue {
  readonly message: string
  readonly path?:
    | readonly (
        | PropertyKey
        | {
            readonly key: PropertyKey
          }
      )[]
    | undefined
}

export type SchemaKind = (typeof SCHEMA_KINDS)[number]

export type SchemaName = string & {
  readonly [schemaName]: true
}

export interface SchemaOutcome {
  readonly schema: string
  readonly kind: SchemaKind
  readonly tenant?: string
  readonly spare?: true
  readonly status: 'done' | 'current' | 'failed' | 'skipped'
  readonly applied: readonly string[]
  readonly atomic?: false
  readonly notAtomic?: readonly string[]
  readonly attempts: number
  readonly durationMs: number
  readonly error?: Error
  readonly reason?: string
}

export interface SchemaPlan {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  readonly run: readonly string[]
  readonly atomic: boolean
  readonly problem?: Error
}

export declare class SchemaRouter<Metadata extends object = TenantMetadata, Input = Metadata> {
  #private
  readonly tenants: Tenants<Metadata, Input>
  readonly migrations: Migrator
  readonly pool: TenantPool
  constructor(options: SchemaRouterOptions<Metadata, Input>)
  static fromConfig<Metadata extends object = TenantMetadata, Input = Metadata>(
    config: SchemaRouterOptions<Metadata, Input>,
  ): SchemaRouter<Metadata, Input>
  withTenant<R>(tenant: TenantOrSlug, fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R>
  withTenant<R>(fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R>
  withSchema<R>(name: string, fn: ScopeFunction<R>, options?: ScopeOptions): Promise<R>
  runAs<R>(tenant: TenantOrSlug, fn: () => R | Promise<R>): Promise<R>
  current(): Tenant<Metadata>
  tryCurrent(): Tenant<Metadata> | undefined
  poolFor(tenant: TenantOrSlug): TenantPool
  resolve(request: RequestAddress): Promise<Destination<Metadata> | undefined>
  peek(request: RequestAddress): Resolution<Metadata> | undefined
  each(selector: Selector, fn: EachFunction<Metadata>, options?: EachOptions): Promise<RunReport>
  whoWill(
    selector: Selector,
    options?: Pick<EachOptions, 'exclude' | 'limit'>,
  ): Promise<readonly string[]>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface SchemaRouterOptions<Metadata extends object = TenantMetadata, Input = Metadata> {
  readonly pool?: Pool
  readonly connectionString?: string
  readonly poolOptions?: PoolConfig
  readonly schemas?: SchemasOptions
  readonly extensions?: ExtensionsOptions
  readonly guard?: GuardOption
  readonly scope?: ScopeConfig<NoInfer<Metadata>>
  readonly registry?: TenantRegistry<object>
  readonly metadata?: MetadataSchema<Input, Metadata>
  readonly domains?: DomainOptions
  readonly cache?: CacheOptions
  readonly hooks?: TenantHooks<NoInfer<Metadata>>
  readonly spares?: number
}

export interface SchemaStatus {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  readonly exists: boolean
  readonly version: number
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  readonly tampered: readonly string[]
  readonly unknown: readonly string[]
  readonly problem?: Error
}

export interface SchemasOptions {
  readonly shared?: {
    readonly name?: string
    readonly migrations?: Migrations
  }
  readonly static?: Readonly<Record<string, StaticSchemaOptions>>
  readonly tenants?: {
    readonly prefix?: string
    readonly migrations?: Migrations
    readonly searchPath?: readonly string[]
    readonly autoCreateSchema?: boolean
  }
}

export interface ScopeConfig<Metadata = TenantMetadata> {
  readonly prepare?: boolean
  readonly maxStatementsPerClient?: number
  readonly maxSchemasPerClient?: number
  readonly acquireTimeout?: number
  readonly pooler?: 'session'
  readonly settings?: (subject: ScopeSubject<Metadata>) => Readonly<Record<string, string>>
}

export type ScopeFunction<R> = (db: ScopedClient) => R | Promise<R>

export interface ScopeMessage extends TracedOutcome<unknown> {
  readonly schema: string
  readonly tenant: MessageTenant | undefined
  readonly form: 'function' | 'statement' | 'client'
  waitMs?: number
}

export interface ScopeOptions extends TransactionOptions {
  readonly transaction?: boolean
  readonly scope?: 'statement' | 'session'
  readonly signal?: AbortSignal
}

export interface ScopeSubject<Metadata = TenantMetadata> {
  readonly schema: string
  readonly kind: SchemaKind
  readonly tenant: Tenant<Metadata> | undefined
}

export interface ScopedClient {
  readonly schema: SchemaName
  readonly query: QueryFunction
  savepoint<R>(fn: () => Promise<R>): Promise<R>
}

export interface SelectOptions {
  readonly select?: Selector
  readonly exclude?: readonly string[]
  readonly limit?: number | undefined
}

export type Selector =
  | {
      readonly kind: 'all'
    }
  | {
      readonly kind: 'shared'
    }
  | {
      readonly kind: 'static'
    }
  | ({
      readonly kind: 'tenants'
    } & TenantsFilter)
  | {
      readonly kind: 'names'
      readonly names: readonly string[]
    }
  | {
      readonly kind: 'matching'
      readonly glob: string
    }
  | {
      readonly kind: 'behind'
    }
  | {
      readonly kind: 'union'
      readonly of: readonly Selector[]
    }
  | {
      readonly kind: 'intersect'
      readonly of: readonly Selector[]
    }

export type Slug = string & {
  readonly [slug]: true
}

export interface SpareStatus {
  readonly wanted: number
  readonly ready: readonly string[]
  readonly stale: readonly string[]
  readonly problem: Error | undefined
}

export interface StaticSchemaOptions {
  readonly migrations?: Migrations
  readonly domains?: readonly string[]
  readonly fallbackDomains?: readonly string[]
}

export interface StatusOptions extends SelectOptions {
  readonly deep?: boolean
}

export type StatusValue = string | number | boolean | null

export interface Tenant<Metadata = TenantMetadata> {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly schema: string
  readonly status: TenantStatus
  readonly metadata: Metadata
  readonly createdAt: Date
}

export type TenantAction =
  | 'create'
  | 'update'
  | 'suspend'
  | 'activate'
  | 'rename'
  | 'clone'
  | 'backup'
  | 'restore'
  | 'export'
  | 'delete'
  | 'undelete'
  | 'purge'

export declare abstract class TenantArchives<Metadata extends object = TenantMetadata> {
  #private
  protected constructor()
  backup(tenant: string, target: string | Writable, options?: BackupOptions): Promise<BackupReport>
  restore(
    source: string | Readable,
    {
      into,
      ...options
    }?: RestoreOptions & {
      readonly into?: ReceivingRouter
    },
  ): Promise<RestoreReport<Metadata>>
  backupAll(folder: string, options?: BackupAllOptions): Promise<BackupAllReport>
  restoreAll(folder: string, options?: RestoreAllOptions): Promise<RunReport>
  export(tenant: string, target: string, options: ExportOptions): Promise<ExportReport>
  move(tenant: string, options: MoveOptions<ReceivingRouter>): Promise<MoveReport<Metadata>>
  takeBack(slug: string): Promise<Tenant<Metadata>>
}

export interface TenantChanges<Metadata = TenantMetadata> {
  readonly name?: string
  readonly metadata?: Metadata
}

export declare class TenantDomains {
  #private
  protected constructor()
  add(tenant: string, domain: string, options?: AddDomainOptions): Promise<Domain>
  remove(tenant: string, domain: string): Promise<Domain>
  setPrimary(tenant: string, domain: string): Promise<Domain>
  verify(tenant: string, domain: string): Promise<Domain>
  list(tenant: string): Promise<readonly Domain[]>
}

export interface TenantFilter {
  readonly status?: TenantStatus | readonly TenantStatus[]
}

export interface TenantHooks<Metadata = TenantMetadata> extends MigrateHooks<Metadata> {
  readonly beforeCreate?: TransactionHook<Metadata>
  readonly afterCreate?: TransactionHook<Metadata>
  readonly beforeDelete?: TransactionHook<Metadata>
  readonly afterDelete?: CommittedHook<Metadata>
  readonly beforePurge?: TransactionHook<Metadata>
  readonly afterPurge?: CommittedHook
}

export interface TenantMessage extends TracedOutcome<TenantResult> {
  readonly action: TenantAction
  readonly slug: string
}

export type TenantMetadata = Record<string, unknown>

export interface TenantNames {
  readonly slug?: Slug
  readonly schema?: SchemaName
}

export type TenantOrSlug = string | Tenant<object>

export declare class TenantPool extends BasePool {
  #private
  protected constructor()
  query: Pool['query']
  connect: Pool['connect']
  end: Pool['end']
  get totalCount(): number
  get idleCount(): number
  get waitingCount(): number
  get expiredCount(): number
}

export interface TenantRegistry<Metadata = TenantMetadata> {
  readonly channel?: string
  readonly tables?: readonly string[]
  install(db: Queryable): Promise<void>
  findBySlug(db: Queryable, slug: Slug): Promise<Tenant<Metadata> | undefined>
  lookUp(db: Queryable, question: LookUpQuestion): Promise<LookUpAnswer<Metadata>>
  list(db: Queryable, filter?: TenantFilter): Promise<readonly Tenant<Metadata>[]>
  insert(db: Queryable, tenant: NewTenant<Metadata>): Promise<Tenant<Metadata>>
  update(
    db: Queryable,
    slug: Slug,
    changes: TenantChanges<Metadata>,
  ): Promise<Tenant<Metadata> | undefined>
  rename(db: Queryable, slug: Slug, names: TenantNames): Promise<Tenant<Metadata> | undefined>
  setStatus(db: Queryable, slug: Slug, status: TenantStatus): Promise<Tenant<Metadata> | undefined>
  remove(db: Queryable, slug: Slug): Promise<boolean>
  addDomain(db: Queryable, slug: Slug, domain: NewDomain): Promise<Domain | undefined>
  removeDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<boolean>
  setPrimaryDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<boolean>
  verifyDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<Domain | undefined>
  domainsOf(db: Queryable, slug: Slug): Promise<readonly Domain[]>
  listDomains?(db: Queryable): Promise<readonly ListedDomain[]>
}

export interface TenantResult extends MessageTenant {
  readonly report?: TenantRows
}

export interface TenantRows {
  readonly tables: number
  readonly rows: number
  readonly bytes: number
}

export declare class TenantSpares {
  #private
  protected constructor()
  status(): Promise<SpareStatus>
  fill(): Promise<void>
  drop(): Promise<number>
}

export type TenantStatus = 'provisioning' | 'active' | 'suspended' | 'deleted'

export type TenantryConfig<
  Metadata extends object = TenantMetadata,
  Input = Metadata,
> = SchemaRouterOptions<Metadata, Input>

export declare class TenantryError extends Error {
  readonly code: ErrorCode
  readonly tenant?: string
  readonly schema?: string
  readonly domain?: string
  readonly extension?: string
  readonly option?: string
  readonly migration?: string
  readonly file?: string
  readonly line?: number
  readonly statement?: string
  readonly sqlState?: string
  readonly candidates?: readonly string[]
  readonly log?: string
  readonly report?: unknown
  readonly findings?: unknown
  readonly issues?: readonly MetadataIssue[]
  constructor(
    code: ErrorCode,
    message: string,
    facts?: ErrorFacts & {
      cause?: unknown
    },
  )
  get name(): string
}

export declare class Tenants<
  Metadata extends object = TenantMetadata,
  Input = Metadata,
> extends TenantArchives<Metadata> {
  #private
  readonly domains: TenantDomains
  readonly spares: TenantSpares
  protected constructor()
  create(tenant: CreateTenant<Input>): Promise<Tenant<Metadata>>
  createMany(
    tenants: readonly CreateTenant<Input>[],
    options?: CreateManyOptions,
  ): Promise<RunReport>
  find(slug: string): Promise<Tenant<Metadata> | undefined>
  get(slug: string): Promise<Tenant<Metadata>>
  list(filter?: TenantFilter): Promise<readonly Tenant<Metadata>[]>
  update(slug: string, changes: TenantChanges<Input>): Promise<Tenant<Metadata>>
  suspend(slug: string): Promise<Tenant<Metadata>>
  activate(slug: string): Promise<Tenant<Metadata>>
  rename(slug: string, names: RenameTenant, options?: RenameOptions): Promise<Tenant<Metadata>>
  clone(
    from: string,
    tenant: CreateTenant<Input>,
    options?: CloneOptions,
  ): Promise<Tenant<Metadata>>
  delete(slug: string): Promise<Tenant<Metadata>>
  undelete(slug: string): Promise<Tenant<Metadata>>
  purge(slug: string, options: PurgeOptions): Promise<Tenant<Metadata>>
  audit(): Promise<AuditReport>
}

export interface TenantsFilter<Metadata = TenantMetadata> {
  readonly status?: readonly TenantStatus[]
  readonly metadata?: PartOf<Metadata>
}

export interface TracedOutcome<Result> {
  readonly result?: Result
  readonly error?: unknown
}

export type TransactionDb = Pick<ClientBase, 'query'>

export type TransactionHook<Metadata = TenantMetadata> = (
  context: HookContext<Metadata>,
) => Promise<unknown> | void

export interface TransactionOptions {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
  readonly deferrable?: boolean
}

export interface UpOptions extends RunOptions {
  readonly to?: MigrationName
  readonly verify?: boolean
}

export interface VerifyFinding {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  readonly code: ErrorCode
  readonly version: number
  readonly differences: readonly string[]
  readonly error?: Error
}

export interface VerifyReport {
  readonly findings: readonly VerifyFinding[]
  readonly compared: number
  readonly reference: ReferencePlace
}

export declare function defineConfig<Metadata extends object = TenantMetadata, Input = Metadata>(
  config: TenantryConfig<Metadata, Input>,
): TenantryConfig<Metadata, Input>

export declare function isTenantryError(error: unknown, code?: ErrorCode): error is TenantryError

export declare function mappedRegistry<Metadata extends object = TenantMetadata>(
  options: MappedRegistryOptions<Metadata>,
): TenantRegistry<Metadata>

export declare const select: {
  readonly all: () => Selector
  readonly shared: () => Selector
  readonly static: () => Selector
  readonly tenants: <Metadata extends object = TenantMetadata>(
    filter?: TenantsFilter<Metadata>,
  ) => Selector
  readonly names: (...names: readonly string[]) => Selector
  readonly matching: (glob: string) => Selector
  readonly behind: () => Selector
  readonly union: (...of: readonly Selector[]) => Selector
  readonly intersect: (...of: readonly Selector[]) => Selector
}

export declare function withSchemaOid<Known extends Tenant<object>>(
  tenant: Known,
  oid: string | null | undefined,
): Known

declare const BasePool: new () => Omit<
  Pool,
  'totalCount' | 'idleCount' | 'waitingCount' | 'expiredCount' | 'connect' | 'query' | 'end'
>

declare const SCHEMA_KINDS: readonly ['shared', 'static', 'tenant']

declare const hostName: unique symbol

declare const schemaName: unique symbol

declare const slug: unique symbol

export {}
