import { resolve } from 'node:path'
import type { Migration, MigrationSource } from '../source.js'

/**
 * A directory in the format of `postgres-migrations`: `1_create_loans.sql`, ids consecutive from 1.
 *
 * The files are loaded by that package's own loader, so its rules and hashes hold, and a schema
 * that it has migrated is continued as it is. The reverse of a migration is `down/<same file name>`.
 * The files are read again only when they have changed; those in JavaScript each time.
 *
 * @param path Path of the directory; a relative one begins at the working directory.
 * @throws `MIGRATION_SOURCE_INVALID` from `load`, when the directory or a file in it is not right.
 * @example
 * import { directory } from 'tenantry/migrate'
 *
 * const migrations = await directory('migrations/tenant').load()
 * console.log(migrations.map(({ fileName }) => fileName))
 */
export function directory(path: string): MigrationSource {
  const folder = resolve(path)
  let known: Known | undefined
  const load = async (): Promise<readonly Migration[]> => {
    const { readMigrations, stampOf } = await import('./read-directory.js')
    // It is taken before the files are read: what changes in between is read anew the next time.
    const stamp = await stampOf(folder)
    if (known !== undefined && known.stamp === stamp) return known.migrations
    const migrations = await readMigrations(folder)
    known = stamp === undefined ? undefined : { stamp, migrations }
    return migrations
  }
  return { origin: folder, load }
}

/** What was read, and how its files looked then. */
interface Known {
  readonly stamp: string
  readonly migrations: readonly Migration[]
}
