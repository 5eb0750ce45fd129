import { ServeOptions } from './express.js'
import {
  QueryFunction,
  SchemaRouter,
  Tenant,
  TenantMetadata,
  TenantOrSlug,
  TenantRegistry,
} from './index.js'
import { Pool } from 'pg'

export interface AdapterService {
  readonly router: SchemaRouter
  readonly options: ServeOptions
  readonly get: (request: { readonly url: string; readonly tenant: Tenant | undefined }) => unknown
  readonly json: (body: unknown) => Promise<unknown>
  readonly upload: (body: AsyncIterable<Uint8Array>) => Promise<unknown>
  readonly download: () => AsyncIterable<string>
  readonly failed: (error: unknown) => unknown
}

export interface ConformanceCase {
  readonly name: string
  readonly run: () => Promise<void>
}

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly url: string
  readonly version: string
  readonly reused: boolean
  readonly dataDirectory: string
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  readonly dataDirectory?: string
  readonly port?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly onLog?: (line: string) => void
  readonly signal?: AbortSignal
}

export type FakeQuery = (
  text: string,
  values: readonly unknown[],
  tenant: Tenant,
) => readonly object[] | Promise<readonly object[]>

export type FakeRouter = Pick<SchemaRouter, 'withTenant' | 'runAs' | 'current' | 'tryCurrent'> & {
  readonly tenants: Pick<SchemaRouter['tenants'], 'find' | 'get' | 'list'>
  readonly pool: {
    readonly query: QueryFunction
  }
  resolve(request: { readonly host: string }): Promise<
    | {
        readonly kind: 'tenant'
        readonly tenant: Tenant
      }
    | undefined
  >
}

export interface FakeRouterOptions {
  readonly tenants: readonly (string | FakeTenant)[]
  readonly query?: FakeQuery
  readonly domains?: Readonly<Record<string, string>>
}

export type FakeTenant = Partial<Tenant> & Pick<Tenant, 'slug'>

export interface OpenedOrm {
  readonly router: SchemaRouter
  readonly orm: TestedOrm
}

export interface OrmNotes {
  readonly add: (body: string) => Promise<unknown>
  readonly bodies: () => Promise<readonly string[]>
  readonly change: (from: string, to: string) => Promise<unknown>
  readonly remove: (body: string) => Promise<unknown>
  readonly raw: (text: string) => Promise<readonly object[]>
}

export interface OrmTransaction extends OrmNotes {
  readonly nested?: (work: (inner: OrmNotes) => Promise<void>) => Promise<unknown>
}

export type StartService = (service: AdapterService) => Promise<StartedService>

export interface StartedService {
  readonly url: string
  readonly close: () => Promise<void>
}

export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  readonly connectionString: string
  endBackends(): Promise<void>
  drop(): Promise<void>
}

export interface TestDatabaseOptions {
  readonly connectionString: string
  readonly template?: string
  readonly prefix?: string
}

export interface TestFrameworkAdapterOptions {
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  readonly router: () => SchemaRouter | Promise<SchemaRouter>
  readonly start: StartService
}

export interface TestOrmAdapterOptions {
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  readonly open: () => OpenedOrm | Promise<OpenedOrm>
}

export interface TestRegistryOptions {
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  readonly open: () => TestedRegistry | Promise<TestedRegistry>
  readonly partial?: boolean
}

export interface TestTenant extends AsyncDisposable {
  readonly tenant: Tenant
  readonly slug: string
  truncate(options?: TruncateOptions): Promise<void>
  drop(): Promise<void>
}

export interface TestTenantOptions {
  readonly slug?: string
  readonly from?: string
}

export type TestTenantRouter = Pick<SchemaRouter, 'withTenant' | 'tenants'>

export interface TestedOrm extends OrmNotes {
  readonly transaction: (work: (inside: OrmTransaction) => Promise<void>) => Promise<unknown>
  readonly stream?: () => AsyncIterable<string>
  readonly refused?: Readonly<Record<string, (schema: string) => unknown>>
}

export interface TestedRegistry {
  readonly registry: TenantRegistry
  readonly pool: Pool
}

export interface TruncateOptions {
  readonly except?: readonly string[]
}

export declare function createTestDatabase({
  connectionString,
  template,
  prefix,
}: TestDatabaseOptions): Promise<TestDatabase>

export declare function createTestTenant(
  router: TestTenantRouter,
  options?: TestTenantOptions,
): Promise<TestTenant>

export declare function fakeRouter({ tenants, query, domains }: FakeRouterOptions): FakeRouter

export declare function memoryRegistry<
  Metadata extends object = TenantMetadata,
>(): TenantRegistry<Metadata>

export declare function ormAdapterCases(
  open: () => OpenedOrm | Promise<OpenedOrm>,
): readonly ConformanceCase[]

export declare function startEmbeddedPostgres(
  options?: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres>

export declare function testFrameworkAdapter({
  test,
  router,
  start,
}: TestFrameworkAdapterOptions): void

export declare function testOrmAdapter({ test, open }: TestOrmAdapterOptions): void

export declare function testRegistry({ test, open, partial }: TestRegistryOptions): void

export declare function truncateTenant(
  router: Pick<SchemaRouter, 'withTenant'>,
  tenant: TenantOrSlug,
  options?: TruncateOptions,
): Promise<void>
