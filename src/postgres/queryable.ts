import type { QueryResult, QueryResultRow } from 'pg'

/** Whatever runs one statement with its values: a pool, a client, or a scoped client. */
export interface Queryable {
  query<R extends QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<R>>
}
