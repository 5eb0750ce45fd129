import { readFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { loadMigrationFiles } from 'postgres-migrations'
import { TenantryError } from '../../errors.js'
import type { Migration, MigrationSource } from '../source.js'
import { reasonOf } from '../../support/is-error.js'
import { isMissingFile } from '../../support/missing-file.js'
import { present } from '../../support/present.js'

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
    // It is taken before the files are read: what changes in between is read anew the next time.
    const stamp = await stampOf(folder)
    if (known !== undefined && known.stamp === stamp) return known.migrations
    const migrations = await loadDirectory(folder)
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

/** How the files of a directory look from outside; `undefined` where that does not tell what they hold. */
async function stampOf(folder: string): Promise<string | undefined> {
  try {
    const names = await readdir(folder, { recursive: true })
    // What JavaScript generates may depend on anything.
    if (names.some((name) => /\.[cm]?[jt]s$/.test(name))) return undefined
    const stamps = names.map(async (name) => {
      const { ino, size, mtimeNs, ctimeNs } = await stat(join(folder, name), { bigint: true })
      return [name, ino, size, mtimeNs, ctimeNs].join(' ')
    })
    return (await Promise.all(stamps)).join('\n')
  } catch {
    return undefined
  }
}

async function loadDirectory(folder: string): Promise<readonly Migration[]> {
  try {
    const [loaded, reverses] = await Promise.all([
      loadMigrationFiles(folder),
      loadReverses(join(folder, 'down')),
    ])
    return loaded.map(({ id, name, fileName, sql, hash }) => {
      const down = reverses.get(fileName)
      return {
        id,
        name,
        fileName,
        sql,
        hash,
        ...(id > 0 && { file: join(folder, fileName) }),
        ...(down !== undefined && { down, downFile: join(folder, 'down', fileName) }),
      }
    })
  } catch (error) {
    const reason = reasonOf(error)
    throw new TenantryError(
      'MIGRATION_SOURCE_INVALID',
      `The migrations in ${folder} cannot be used: ${reason}`,
      { file: folder, cause: error },
    )
  }
}

async function loadReverses(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissingFile(error)) return []
    throw error
  })
  const files = names.filter((name) => name.endsWith('.sql'))
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
  return new Map(files.map((name, index) => [name, present(texts[index])]))
}
