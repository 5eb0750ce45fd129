import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { quoteIdent } from '../../names/schema-name.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import type { Renaming } from './name-in-text.js'
import { schemaMissing } from '../standstill.js'
import { isSchemaTaken } from '../create/structure.js'

/**
 * Gives a schema another name; texts that have the former one are left as they are.
 *
 * @throws `SCHEMA_MISSING`, `SCHEMA_EXISTS`
 */
export async function renameSchema(client: PoolClient, { from, to }: Renaming): Promise<void> {
  try {
    await client.query(`alter schema ${quoteIdent(from)} rename to ${quoteIdent(to)}`)
  } catch (error) {
    if (sqlStateOf(error) === SQL_STATE.invalidSchemaName) throw schemaMissing(from)
    if (!isSchemaTaken(error)) throw error
    throw new TenantryError(
      'SCHEMA_EXISTS',
      `Schema "${to}" exists already and belongs to no tenant. Choose another name, or rename or ` +
        'drop that schema after a look at what is in it.',
      { schema: to, cause: error },
    )
  }
}
