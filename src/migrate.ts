export { directory } from './migration/sources/directory.js'
export type {
  Migration,
  MigrationContext,
  MigrationFunction,
  MigrationSource,
} from './migration/source.js'
