import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { loadMigrationFiles } from 'postgres-migrations'
import { TenantryError } from '../../errors.js'
import { reasonOf } from '../../support/is-error.js'
import { isMissingFile } from '../../support/missing-file.js'
import { present } from '../../support/present.js'
import type { Migration } from '../source.js'

/** How the files of a directory look from outside; `undefined` where that does not tell what they hold. */
export async function stampOf(folder: string): Promise<string | undefined> {
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

/**
 * Reads the migrations in a directory, and their reverses.
 *
 * @throws `MIGRATION_SOURCE_INVALID`
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
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
