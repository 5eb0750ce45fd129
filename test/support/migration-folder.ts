import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { SchemasOptions } from 'tenantry'
import { afterAll } from 'vitest'

/** Migrations by file name: `{ '1_create_loans.sql': 'create table loans …' }`, also `down/…`. */
export type MigrationFiles = Readonly<Record<string, string>>

/** The migrations of a small fleet, by kind of schema; a kind that is left out has no set. */
export interface FleetFiles {
  readonly shared?: MigrationFiles
  readonly main?: MigrationFiles
  readonly tenants?: MigrationFiles
}

/** Makes folders of migrations in the temporary directory. */
export interface MigrationFolders {
  /** Writes the files into a new folder, and tells its path. */
  folder(files: MigrationFiles): Promise<string>
  /**
   * The schemas of a fleet that shares nothing with another prefix: `shared_<prefix>` with the
   * registry, the static `main_<prefix>`, and tenants `<prefix><slug>`.
   */
  fleet(prefix: string, files: FleetFiles): Promise<FleetSchemas>
}

/** Schemas as the router takes them, all three kinds of them. */
export type FleetSchemas = Required<SchemasOptions>

/**
 * Gives a test file folders of migrations, which are removed after it.
 *
 * @example
 * const migrations = useMigrationFolders()
 *
 * it('migrates', async () => {
 *   const folder = await migrations.folder({ '1_create_loans.sql': 'create table loans (id int)' })
 * })
 */
export function useMigrationFolders(): MigrationFolders {
  const made: string[] = []
  afterAll(async () => {
    await Promise.all(made.map((path) => rm(path, { recursive: true, force: true })))
  })

  const folder = async (files: MigrationFiles): Promise<string> => {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'tenantry-migrations-')))
    made.push(path)
    for (const [name, sql] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true })
      await writeFile(join(path, name), sql)
    }
    return path
  }

  const set = async (files: MigrationFiles | undefined): Promise<{ migrations?: string }> =>
    files === undefined ? {} : { migrations: await folder(files) }

  const fleet = async (prefix: string, files: FleetFiles): Promise<FleetSchemas> => ({
    shared: { name: `shared_${prefix}`, ...(await set(files.shared)) },
    static: { [`main_${prefix}`]: await set(files.main) },
    tenants: { prefix, ...(await set(files.tenants)) },
  })
  return { folder, fleet }
}
