import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import { type CopyToStreamQuery, from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { quoteIdent, type SchemaName } from '../../names/schema-name.js'
import { cancelStatement } from '../../postgres/cancel.js'
import type { CopyTable } from './copy-catalog.js'
import { qualifiedName, rowsOf } from './table-rows.js'

// What the database is kept in does not matter to the text.
const FORM = `with (format text, encoding 'UTF8')`

/** The columns whose values are written; the server computes the others. */
export function writtenColumns({ columns }: CopyTable): readonly string[] {
  return columns.filter(({ generated }) => !generated).map(({ name }) => name)
}

/**
 * The rows of a table, in the text form of COPY, as the server sends them.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function copyOut(
  client: PoolClient,
  schema: SchemaName,
  table: CopyTable,
): AsyncGenerator<Buffer, void> {
  return sentBy(client, copyTo(outText(schema, table)))
}

/**
 * What the server sends for a COPY. Whoever stops in the middle waits until the server has stopped
 * too: the client answers nothing else before.
 */
export async function* sentBy(
  client: PoolClient,
  copy: CopyToStreamQuery,
): AsyncGenerator<Buffer, void> {
  const rows = client.query(copy)
  const chunks = rows.iterator({ destroyOnReturn: false })
  try {
    for await (const chunk of chunks) if (Buffer.isBuffer(chunk)) yield chunk
  } finally {
    if (!rows.readableEnded && !rows.destroyed) {
      // Listens first: the error of a cancelled COPY may come before the cancellation is answered.
      const over = finished(rows.resume()).catch(() => {})
      await cancelStatement(client)
      await over
    }
  }
}

/** Fills a table with rows that {@link copyOut} has read. */
export async function copyIn(
  client: PoolClient,
  { schema, name, columns }: InTable,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const text = `copy ${qualifiedName(schema, name)} ${listed(columns)} from stdin ${FORM}`
  await pipeline(Readable.from(chunks, { objectMode: false }), client.query(copyFrom(text)))
}

/** A table to be filled, with the columns in the order of the values. */
export interface InTable {
  readonly schema: SchemaName
  readonly name: string
  readonly columns: readonly string[]
}

/** COPY takes the rows of a partitioned table from a query only. */
function outText(schema: SchemaName, table: CopyTable): string {
  const columns = writtenColumns(table)
  const from = table.partitioned
    ? `(select ${columns.map(quoteIdent).join(', ')} from ${rowsOf(schema, table)})`
    : `${qualifiedName(schema, table.name)} ${listed(columns)}`
  return `copy ${from} to stdout ${FORM}`
}

/** Without a list COPY means all columns that are not generated, which may be none. */
function listed(columns: readonly string[]): string {
  return columns.length === 0 ? '' : `(${columns.map(quoteIdent).join(', ')})`
}
