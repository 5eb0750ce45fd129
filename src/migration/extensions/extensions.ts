import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { lockKey, lockTransaction } from '../../postgres/advisory-lock.js'
import type { Database } from '../../postgres/database.js'
import type { Queryable } from '../../postgres/queryable.js'
import { reasonOf } from '../../support/is-error.js'

/** The extensions of a service: one schema has all of them, and is on every path. */
export interface ExtensionRules {
  readonly schema: SchemaName
  /** Made once, in the shared step. */
  readonly create: readonly string[]
}

/**
 * Makes the extensions that are missing, by one runner at a time. Where all are there, no right is
 * needed.
 *
 * @param installed Where each extension is, if that is known already.
 * @throws `EXTENSION_MISPLACED`, `EXTENSION_UNAVAILABLE`; then nothing was made.
 * @see https://www.postgresql.org/docs/current/sql-createextension.html
 */
export async function installExtensions(
  db: Database,
  rules: ExtensionRules | undefined,
  installed?: ReadonlyMap<string, string>,
): Promise<void> {
  if (rules === undefined || rules.create.length === 0) return
  if (missing(installed ?? (await readInstalled(db)), rules).length === 0) return
  await db.transaction(async (client) => {
    await lockTransaction(client, lockKey('extensions'))
    const late = missing(await readInstalled(client), rules)
    for (const name of late) await create(client, name, rules)
  })
}

function missing(
  installed: ReadonlyMap<string, string>,
  { schema, create: wanted }: ExtensionRules,
): readonly string[] {
  for (const name of wanted) {
    const place = installed.get(name)
    // What is in pg_catalog is found from everywhere.
    if (place === undefined || place === schema || place === 'pg_catalog') continue
    throw misplaced(name, place, schema)
  }
  return wanted.filter((name) => !installed.has(name))
}

async function create(client: PoolClient, name: string, { schema }: ExtensionRules): Promise<void> {
  try {
    await client.query(`create schema if not exists ${quoteIdent(schema)}`)
    await client.query(
      `create extension if not exists ${quoteIdent(name)} schema ${quoteIdent(schema)} cascade`,
    )
  } catch (error) {
    const reason = reasonOf(error)
    throw new TenantryError(
      'EXTENSION_UNAVAILABLE',
      `The extension "${name}" could not be created in schema "${schema}": ${reason}. Install its ` +
        'files on the server, or let a role with the right to it create it once; no extension was made.',
      { schema, extension: name, cause: error },
    )
  }
}

/** Where each extension of the database is. */
export async function readInstalled(db: Queryable): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ readonly name: string; readonly schema: string }>(
    `select e.extname::text as name, n.nspname::text as schema from pg_catalog.pg_extension e
     join pg_catalog.pg_namespace n on n.oid = e.extnamespace`,
  )
  return new Map(rows.map(({ name, schema }) => [name, schema]))
}

function misplaced(name: string, place: string, schema: SchemaName): TenantryError {
  return new TenantryError(
    'EXTENSION_MISPLACED',
    `The extension "${name}" is in schema "${place}" and not in "${schema}", so tenants would not ` +
      `find it. Run: alter extension ${quoteIdent(name)} set schema ${quoteIdent(schema)}; or set ` +
      '"extensions.schema" to where it is.',
    { schema: place, extension: name },
  )
}
