export {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded/embedded-postgres.js'
export { memoryRegistry } from './registry/memory-registry.js'
export {
  testRegistry,
  type TestRegistryOptions,
  type TestedRegistry,
} from './registry/test-registry.js'
