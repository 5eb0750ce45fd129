import type { QueryResult } from 'pg'
import type { Queryable } from './queryable.js'

/**
 * Sets the `search_path` until the transaction ends.
 *
 * @param path The text of the whole path.
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
 */
export function setLocalPath(client: Queryable, path: string): Promise<QueryResult> {
  return client.query("select pg_catalog.set_config('search_path', $1, true)", [path])
}
