import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { PoolClient } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { RowProgress } from '../backup/progress.js'
import { sentBy } from '../rows/copy-rows.js'
import { rowsOf } from '../rows/table-rows.js'
import type { ExportColumn, ExportTable } from './export-catalog.js'
import { writeDown } from './export-folder.js'
import { fileNames } from './file-name.js'
import { present } from '../../support/present.js'

/** The form of the rows: a table with a header, or a line of JSON for each row. */
export type ExportFormat = 'csv' | 'ndjson'

/** Tables, and where their rows go. */
export interface TableFiles {
  readonly schema: SchemaName
  readonly tables: readonly ExportTable[]
  readonly format: ExportFormat
  readonly folder: string
  readonly progress: RowProgress
  readonly signal: AbortSignal | undefined
}

/** A table that was written. */
export interface ExportedTable {
  readonly name: string
  readonly file: string
  readonly rows: number
  readonly bytes: number
  /** Of the file. */
  readonly sha256: string
  readonly columns: readonly ExportColumn[]
}

/** Writes a file for each table, from the client's snapshot; nothing of it is kept. */
export async function writeTables(
  client: PoolClient,
  job: TableFiles,
): Promise<readonly ExportedTable[]> {
  const files = fileNames(
    job.tables.map(({ name }) => name),
    job.format,
  )
  const written: ExportedTable[] = []
  for (const [index, table] of job.tables.entries()) {
    const file = present(files[index])
    written.push(await writeTable(client, job, { table, file }))
  }
  return written
}

async function writeTable(
  client: PoolClient,
  { schema, format, folder, progress, signal }: TableFiles,
  { table, file }: { readonly table: ExportTable; readonly file: string },
): Promise<ExportedTable> {
  const { name, columns } = table
  const copy = copyTo(FORMS[format](schema, table))
  const hash = createHash('sha256')
  let bytes = 0
  async function* passing(): AsyncGenerator<Buffer, void> {
    for await (const chunk of sentBy(client, copy)) {
      hash.update(chunk)
      bytes += chunk.length
      progress.moved(name, chunk.length)
      yield chunk
    }
  }
  await writeDown(join(folder, file), passing(), signal)
  // How many rows there were is said after the last of them, and has come when the client answers.
  await client.query('select')
  progress.done(name, String(copy.rowCount))
  return { name, file, rows: copy.rowCount, bytes, sha256: hash.digest('hex'), columns }
}

type CopyText = (schema: SchemaName, table: ExportTable) => string

/** A query, because COPY of a table has no generated columns and nothing of partitions. */
function rowText(schema: SchemaName, table: ExportTable): string {
  const columns = table.columns.map(({ name }) => quoteIdent(name))
  return `select ${columns.join(', ')} from ${rowsOf(schema, table)}`
}

const FORMS: Readonly<Record<ExportFormat, CopyText>> = {
  csv: (schema, table) =>
    `copy (${rowText(schema, table)}) to stdout with (format csv, header, encoding 'UTF8')`,

  // COPY's text form would double each backslash. That of CSV changes nothing of a text in which
  // neither its signs are, which JSON has none of, nor an end of a line, which a value of type json
  // may have between its parts.
  ndjson: (schema, table) =>
    `copy (select pg_catalog.translate(
        pg_catalog.row_to_json(line.*)::pg_catalog.text, E'\\n\\r', '  ')
      from (${rowText(schema, table)}) line) to stdout with (format csv, encoding 'UTF8',
        quote E'\\x01', escape E'\\x01', delimiter E'\\x02')`,
}
