import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type CatalogItem, describeSchemas } from '../../migration/verify/describe.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { openTransaction } from '../../postgres/open-transaction.js'
import { firstFew } from '../../support/first-few.js'
import type { CopyTable } from './copy-catalog.js'
import type { CopyWay } from './copy-data.js'
import { rowsOf } from './table-rows.js'

/** How many tables one statement reads. */
const TABLES_PER_QUERY = 50

/**
 * Compares the catalogs of both schemas; the path is `pg_catalog` afterwards.
 *
 * @throws `CLONE_DIFFERS`
 */
export async function requireSameStructure(
  client: PoolClient,
  { source, copy }: Pick<CopyWay, 'source' | 'copy'>,
): Promise<void> {
  const found = await describeSchemas(openTransaction(client), [source, copy])
  const of = (schema: SchemaName): readonly CatalogItem[] =>
    (found.get(schema) ?? []).filter((item) => !isLedgerNote(item))
  const differences = diffSchemas(of(source), of(copy))
  if (differences.length === 0) return
  throw differs(
    source,
    differences,
    'its structure is not what its migrations make (- is missing in the copy, + is too much, ' +
      '~ is different)',
    'Look at migrations.verify() and correct the schema, or the migrations',
  )
}

/** A ledger of postgres-migrations has no comment, and says the same. */
function isLedgerNote({ kind, name }: CatalogItem): boolean {
  return kind === 'comment on table' && name === 'migrations'
}

/**
 * Compares number and contents of the rows of tables, whatever their order.
 *
 * @throws `CLONE_DIFFERS`
 */
export async function requireSameRows(
  client: PoolClient,
  { source, copy }: Pick<CopyWay, 'source' | 'copy'>,
  tables: readonly CopyTable[],
): Promise<void> {
  const differing: string[] = []
  for (let from = 0; from < tables.length; from += TABLES_PER_QUERY) {
    const part = tables.slice(from, from + TABLES_PER_QUERY)
    const texts = part.map(
      (table) => `select ${quoteLiteral(table.name)} as name,
        ${yesIf(`(${sumText(source, table)}) = (${sumText(copy, table)})`)} as same`,
    )
    const { rows } = await client.query<{ name: string; same: string | null }>(
      texts.join(' union all '),
    )
    differing.push(...rows.flatMap((row) => (isYes(row.same) ? [] : row.name)))
  }
  if (differing.length === 0) return
  throw differs(
    source,
    differing.map((name) => `table ${name}`),
    'the rows of the copy are not those of the source',
    'Look for functions in generated columns that do not give the same for the same',
  )
}

function sumText(schema: SchemaName, table: CopyTable): string {
  const columns = table.columns.map(({ name }) => quoteIdent(name)).join(', ')
  return `select count(*) || ' ' || coalesce(sum(
      hashtextextended(row(${columns})::text, 0)::numeric), 0)
    from ${rowsOf(schema, table)}`
}

function differs(
  schema: SchemaName,
  differences: readonly string[],
  what: string,
  advice: string,
): TenantryError {
  return new TenantryError(
    'CLONE_DIFFERS',
    `Schema "${schema}" was not cloned, because ${what}: ${firstFew(differences, '; ')}. ${advice}. ` +
      'Everything was rolled back.',
    { schema, candidates: differences },
  )
}
