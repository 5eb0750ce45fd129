import { TenantryError } from '../errors.js'
import { type MigrationOrigin, isBridge } from './bridges/bridge.js'
import type { Migration, MigrationSource } from './source.js'

/** The ledger's own table, exactly as `postgres-migrations` makes and notes it. */
const LEDGER: Migration = {
  id: 0,
  name: 'create-migrations-table',
  fileName: '0_create-migrations-table.sql',
  sql: `CREATE TABLE IF NOT EXISTS migrations (
  id integer PRIMARY KEY,
  name varchar(100) UNIQUE NOT NULL,
  hash varchar(40) NOT NULL, -- sha1 hex encoded hash of the file name and contents, to ensure it hasn't been altered since applying the migration
  executed_at timestamp DEFAULT current_timestamp
);
`,
  hash: 'e18db593bcde2aca2a408c4d1100f6abba2195df',
}

/** What the ledger's columns hold. */
const MAX_NAME = 100
const MAX_HASH = 40

/**
 * Loads a migration set, with the ledger's own table in front, and checks that the ledger can keep it.
 * Without a source there is no migration, and no ledger; where another tool migrates, the same.
 *
 * @throws `MIGRATION_SOURCE_INVALID`
 */
export async function loadSet(source: MigrationOrigin | undefined): Promise<readonly Migration[]> {
  if (source === undefined || isBridge(source)) return []
  const loaded = await source.load()
  const set = loaded[0]?.id === LEDGER.id ? loaded : [LEDGER, ...loaded]
  const names = new Set<string>()
  for (const [index, migration] of set.entries()) {
    const wrong = problemOf(migration, index, names)
    if (wrong !== undefined) throw invalid(source, migration, wrong)
    names.add(migration.name)
  }
  return set
}

function problemOf(
  { id, name, hash }: Migration,
  index: number,
  names: ReadonlySet<string>,
): string | undefined {
  if (id !== index)
    return `has the id ${id} where ${index} is next; number them from 1 without a gap`
  if (names.has(name)) return `is called "${name}" like an earlier one; names must differ`
  if (Array.from(name).length > MAX_NAME)
    return `has a name of more than ${MAX_NAME} characters; shorten it`
  if (hash.length > MAX_HASH) return `has a hash of more than ${MAX_HASH} characters; use SHA-1`
  return undefined
}

function invalid(
  { origin }: MigrationSource,
  migration: Migration,
  sentence: string,
): TenantryError {
  const { fileName, file } = migration
  return new TenantryError(
    'MIGRATION_SOURCE_INVALID',
    `The migrations in ${origin} cannot be used: ${fileName} ${sentence}.`,
    { migration: fileName, ...(file !== undefined && { file }) },
  )
}
