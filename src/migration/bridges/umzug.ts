import { quoteIdent } from '../../names/schema-name.js'
import type { BridgeTarget, MigrationBridge } from './bridge.js'

/** What is used of an Umzug instance, version 3. */
export interface UmzugInstance {
  up(): Promise<readonly { readonly name: string }[]>
  down(): Promise<readonly { readonly name: string }[]>
  pending(): Promise<readonly { readonly name: string }[]>
}

/**
 * Lets Umzug 3 migrate each schema.
 *
 * @param open Makes the Umzug instance for one schema: its context is the client, its storage a table
 * of the schema, as {@link umzugStorage} keeps it. A storage in a file would be one for all schemas.
 * @throws What Umzug throws, as `MIGRATION_FAILED`, when a run calls it.
 * @example
 * import { umzugBridge, umzugStorage } from 'tenantry/migrate'
 * import { Umzug } from 'umzug'
 *
 * const migrations = umzugBridge((target) => {
 *   const { client } = target
 *   return new Umzug({
 *     context: client,
 *     storage: umzugStorage(target),
 *     migrations: [{ name: 'loans', up: () => client.query('create table loans (id int)') }],
 *     logger: undefined,
 *   })
 * })
 * console.log(migrations.origin)
 */
export function umzugBridge(
  open: (target: BridgeTarget) => UmzugInstance | Promise<UmzugInstance>,
): MigrationBridge {
  return {
    kind: 'bridge',
    origin: 'Umzug',
    up: async (target) => namesOf(await (await open(target)).up()),
    down: async (target) => namesOf(await (await open(target)).down()),
    pending: async (target) => namesOf(await (await open(target)).pending()),
  }
}

function namesOf(migrations: readonly { readonly name: string }[]): readonly string[] {
  return migrations.map(({ name }) => name)
}

/** Where Umzug notes what has run. */
export interface UmzugTable {
  logMigration(migration: { readonly name: string }): Promise<void>
  unlogMigration(migration: { readonly name: string }): Promise<void>
  executed(): Promise<string[]>
}

/**
 * A storage for Umzug in a table of the schema; Umzug brings none for PostgreSQL without Sequelize.
 *
 * @param target What the bridge was given for one schema.
 * @param table Name of the table. @defaultValue `'umzug_migrations'`
 * @throws What PostgreSQL answers, when Umzug uses it.
 * @example
 * import { umzugStorage, type BridgeTarget } from 'tenantry/migrate'
 *
 * const executed = (target: BridgeTarget) => umzugStorage(target, 'schema_steps').executed()
 */
export function umzugStorage(target: BridgeTarget, table = 'umzug_migrations'): UmzugTable {
  const { client, schema } = target
  const name = `${quoteIdent(schema)}.${quoteIdent(table)}`
  const run = async (text: string, values: readonly string[]): Promise<string[]> => {
    await client.query(`create table if not exists ${name} (name text primary key)`)
    const { rows } = await client.query<{ name: string }>(text, [...values])
    return rows.map((row) => row.name)
  }
  return {
    logMigration: async (migration) => {
      await run(`insert into ${name} (name) values ($1)`, [migration.name])
    },
    unlogMigration: async (migration) => {
      await run(`delete from ${name} where name = $1`, [migration.name])
    },
    executed: () => run(`select name from ${name} order by name`, []),
  }
}
