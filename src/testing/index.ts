/**
 * A server for tests, databases per test file, clean-up, and the conformance suite of adapters.
 *
 * @module tenantry/testing
 */

export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded/embedded-postgres.js'
export { memoryRegistry } from './memory-registry/memory-registry.js'
export {
  testRegistry,
  type TestRegistryOptions,
  type TestedRegistry,
} from './registry-suite/test-registry.js'
export type {
  AdapterService,
  StartService,
  StartedService,
} from './framework-adapter/adapter-service.js'
export {
  testFrameworkAdapter,
  type TestFrameworkAdapterOptions,
} from './framework-adapter/test-framework-adapter.js'
export type { ConformanceCase } from './orm-adapter/conformance-case.js'
export {
  ormAdapterCases,
  testOrmAdapter,
  type OpenedOrm,
  type TestOrmAdapterOptions,
} from './orm-adapter/orm-adapter.js'
export type { OrmNotes, OrmTransaction, TestedOrm } from './orm-adapter/tested-orm.js'
export {
  fakeRouter,
  type FakeQuery,
  type FakeRouter,
  type FakeRouterOptions,
  type FakeTenant,
} from './fixtures/fake-router.js'
export {
  createTestDatabase,
  type TestDatabase,
  type TestDatabaseOptions,
} from './fixtures/test-database.js'
export {
  createTestTenant,
  type TestTenant,
  type TestTenantOptions,
  type TestTenantRouter,
} from './fixtures/test-tenant.js'
export { truncateTenant, type TruncateOptions } from './fixtures/truncate.js'
