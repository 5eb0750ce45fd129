export { directory } from './migration/directory-source.js'
export type {
  Migration,
  MigrationContext,
  MigrationFunction,
  MigrationSource,
} from './migration/source.js'
