import { createHash } from 'node:crypto'
import type { Migration, MigrationFunction, MigrationSource } from '../source.js'

/** A migration that is written in TypeScript. */
export interface CodeMigration {
  /** What the ledger calls it; no two migrations of a set share a name. */
  readonly name: string
  /** Brings the schema forward, in the schema's own transaction. */
  readonly up: MigrationFunction
  /** Takes the schema back. */
  readonly down?: MigrationFunction
  /**
   * Says that it does the same for every tenant, so that it may run in a spare schema before there
   * is a tenant: `context.tenant` is `undefined` then, and the schema gets another name later.
   *
   * @defaultValue `false`: where one migration of the set says nothing, no spares are made
   */
  readonly anyTenant?: boolean
  /** Raise it to say that a migration which has run somewhere is no longer the same. */
  readonly version?: number
  /** Instead of the hash of name and version; at most 40 characters. */
  readonly hash?: string
}

/**
 * Migrations written in code, in the order of the list; the first one has the id 1.
 *
 * The hash that the ledger keeps is made of the name and the version, not of the function: its source
 * is another one after each build, so every deployment would look like a change of old migrations.
 *
 * @param migrations Append to the list only: the ids are the places in it.
 * @throws `MIGRATION_SOURCE_INVALID` when a run loads two migrations of one name, or too long a name.
 * @example
 * import { code } from 'tenantry/migrate'
 *
 * const migrations = code([
 *   { name: 'create_loans', up: (db) => db.query('create table loans (amount int)') },
 *   {
 *     name: 'note_tenant',
 *     up: (db, { schema }) => db.query('insert into notes (text) values ($1)', [schema]),
 *     down: (db) => db.query('truncate notes'),
 *   },
 * ])
 * console.log(migrations.origin)
 */
export function code(migrations: readonly CodeMigration[]): MigrationSource {
  const set = migrations.map((migration, index) => migrationOf(migration, index + 1))
  return { origin: 'code', load: async () => set }
}

function migrationOf(given: CodeMigration, id: number): Migration {
  const { name, up, down, anyTenant = false, version = 1 } = given
  const hash =
    given.hash ?? createHash('sha1').update(`${name}\u0000${version}`, 'utf8').digest('hex')
  return { id, name, fileName: name, sql: '', hash, code: { up, anyTenant, ...(down && { down }) } }
}
