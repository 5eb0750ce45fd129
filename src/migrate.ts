export { directory } from './migration/directory-source.js'
export type { Migration, MigrationSource } from './migration/source.js'
