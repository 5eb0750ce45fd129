import type { PoolClient } from 'pg'
import { type CatalogItem, describeSchemas } from '../../migration/verify/describe.js'
import type { SchemaName } from '../../names/schema-name.js'
import { openTransaction } from '../../postgres/open-transaction.js'
import { present } from '../../support/present.js'

/** Everything in a schema as the transaction sees it; the path is `pg_catalog` afterwards. */
export async function structureOf(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly CatalogItem[]> {
  const found = await describeSchemas(openTransaction(client), [schema])
  return withoutLedgerNote(present(found.get(schema)))
}

/** A ledger of postgres-migrations has no comment, and says the same. */
export function withoutLedgerNote(items: readonly CatalogItem[]): readonly CatalogItem[] {
  return items.filter(({ kind, name }) => kind !== 'comment on table' || name !== 'migrations')
}
