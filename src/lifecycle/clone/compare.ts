import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import type { SchemaName } from '../../names/schema-name.js'
import { firstFew } from '../../support/first-few.js'
import type { CopyTable } from '../rows/copy-catalog.js'
import { rowSums } from '../rows/row-sum.js'
import { structureOf } from '../rows/structure-of.js'
import type { CopyWay } from './copy-way.js'

/**
 * Compares the catalogs of both schemas; the path is `pg_catalog` afterwards.
 *
 * @throws `CLONE_DIFFERS`
 */
export async function requireSameStructure(
  client: PoolClient,
  { source, copy }: Pick<CopyWay, 'source' | 'copy'>,
): Promise<void> {
  const differences = diffSchemas(
    await structureOf(client, source),
    await structureOf(client, copy),
  )
  if (differences.length === 0) return
  throw differs(
    source,
    differences,
    'its structure is not what its migrations make (- is missing in the copy, + is too much, ' +
      '~ is different)',
    'Look at migrations.verify() and correct the schema, or the migrations',
  )
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
  const wanted = await rowSums(client, source, tables)
  const found = await rowSums(client, copy, tables)
  const differing = tables
    .map(({ name }) => name)
    .filter((name) => wanted.get(name) !== found.get(name))
  if (differing.length === 0) return
  throw differs(
    source,
    differing.map((name) => `table ${name}`),
    'the rows of the copy are not those of the source',
    'Look for functions in generated columns that do not give the same for the same',
  )
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
