import type { PoolClient } from 'pg'
import type { Database } from '../../postgres/database.js'
import { DESCRIBE, DIGEST } from './catalog-sql.js'

/** One thing in a schema, without the schema's name. */
export interface CatalogItem {
  /** Such as `table`, `column`, `comment on index`. */
  readonly kind: string
  /** The table that it is a part of. */
  readonly parent: string | null
  readonly name: string
  /** Its definition. */
  readonly detail: string
}

/** What is in a schema; of no order. */
export type SchemaDescription = readonly CatalogItem[]

interface ItemRow extends CatalogItem {
  readonly schema: string
}

interface DigestRow {
  readonly schema: string
  readonly digest: string
}

/** How many schemas one statement looks at, so that its sorts stay in memory. */
const SCHEMAS_PER_QUERY = 100

/** The digest of a schema in which nothing is. */
const EMPTY_DIGEST = ''

/** Describes many schemas at once, each as if it had no name. */
export async function describeSchemas(
  db: Database,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, SchemaDescription>> {
  const found = new Map<string, CatalogItem[]>(schemas.map((schema) => [schema, []]))
  await inParts(db, schemas, async (client, part) => {
    const { rows } = await client.query<ItemRow>(DESCRIBE, [part])
    for (const { schema, ...item } of rows) found.get(schema)?.push(item)
  })
  return found
}

/** The same as one short text for each schema; equal texts are equal schemas. */
export async function digestSchemas(
  db: Database,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>(schemas.map((schema) => [schema, EMPTY_DIGEST]))
  await inParts(db, schemas, async (client, part) => {
    const { rows } = await client.query<DigestRow>(DIGEST, [part])
    for (const { schema, digest } of rows) found.set(schema, digest)
  })
  return found
}

async function inParts(
  db: Database,
  schemas: readonly string[],
  read: (client: PoolClient, part: readonly string[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < schemas.length; from += SCHEMAS_PER_QUERY) {
    const part = schemas.slice(from, from + SCHEMAS_PER_QUERY)
    await db.transaction(async (client) => {
      await client.query('set local search_path = pg_catalog')
      await read(client, part)
    })
  }
}
