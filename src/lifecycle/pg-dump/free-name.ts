import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { createSchema } from '../create/structure.js'

/**
 * Refuses a schema that is there already, before an archive makes it.
 *
 * @throws `SCHEMA_EXISTS`
 */
export async function requireFreeName(client: PoolClient, schema: SchemaName): Promise<void> {
  await createSchema(client, schema)
  await client.query(`drop schema ${quoteIdent(schema)} restrict`)
}
