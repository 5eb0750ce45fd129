import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { TenantryError } from '../../errors.js'
import { quoteIdent } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { BridgeTarget, MigrationBridge } from './bridge.js'
import { type JournalEntry, readJournal } from '../sources/drizzle-journal.js'

/** Where drizzle-kit has put the migrations. */
export interface DrizzleBridgeOptions {
  /** The folder with `meta/_journal.json`; a relative one begins at the working directory. */
  readonly migrationsFolder: string
  /** @defaultValue `'__drizzle_migrations'` */
  readonly migrationsTable?: string
}

/** What the bridge sets for drizzle's `migrate`: its second argument. */
export interface DrizzleSettings {
  migrationsFolder: string
  migrationsTable: string
  /** Where drizzle keeps its table; its own default is one schema for all. */
  migrationsSchema: string
}

/**
 * Lets the `migrate` of `drizzle-orm/node-postgres` migrate each schema, with its table in it.
 *
 * drizzle-kit writes `"public"` into foreign keys: remove it from the SQL, or they lead there.
 *
 * @param options Where the migrations are.
 * @param migrate Calls drizzle's `migrate` with a database on the client, and with the settings.
 * @throws What drizzle throws, as `MIGRATION_FAILED`, when a run calls it.
 * @example
 * import { drizzleBridge } from 'tenantry/migrate'
 * import { drizzle } from 'drizzle-orm/node-postgres'
 * import { migrate } from 'drizzle-orm/node-postgres/migrator'
 *
 * const migrations = drizzleBridge({ migrationsFolder: 'drizzle' }, ({ client }, settings) =>
 *   migrate(drizzle(client), settings),
 * )
 * console.log(migrations.origin)
 */
export function drizzleBridge(
  options: DrizzleBridgeOptions,
  migrate: (target: BridgeTarget, settings: DrizzleSettings) => Promise<unknown>,
): MigrationBridge {
  const folder = resolve(options.migrationsFolder)
  const table = options.migrationsTable ?? '__drizzle_migrations'
  const pending = async (target: BridgeTarget): Promise<readonly string[]> => {
    const newest = await newestIn(target, table)
    const entries = await journalIn(folder)
    return entries.filter(({ when }) => when > newest).map(({ tag }) => tag)
  }
  return {
    kind: 'bridge',
    origin: 'Drizzle',
    pending,
    up: async (target) => {
      const names = await pending(target)
      await migrate(target, {
        migrationsFolder: folder,
        migrationsTable: table,
        migrationsSchema: target.schema,
      })
      return names
    },
  }
}

async function journalIn(folder: string): Promise<readonly JournalEntry[]> {
  const file = join(folder, 'meta', '_journal.json')
  const entries = readJournal(await readFile(file, 'utf8'))
  if (entries !== undefined) return entries
  throw new TenantryError('MIGRATION_SOURCE_INVALID', `${file} is no journal of drizzle-kit.`, {
    file,
  })
}

/** drizzle runs what is newer than the newest that it has noted. */
async function newestIn({ client, schema }: BridgeTarget, table: string): Promise<number> {
  const name = `${quoteIdent(schema)}.${quoteIdent(table)}`
  const { rows } = await client.query<{ found: string | null }>(
    `select ${yesIf('to_regclass($1) is not null')} as found`,
    [name],
  )
  if (!isYes(rows[0]?.found)) return -Infinity
  const noted = await client.query<{ newest: string | null }>(
    `select max(created_at)::text as newest from ${name}`,
  )
  return Number(noted.rows[0]?.newest ?? -Infinity)
}
