import { createHash } from 'node:crypto'
import type { PoolClient } from 'pg'
import { type SchemaName, quoteLiteral } from '../../names/schema-name.js'
import { yesIf, isYes } from '../../postgres/answer.js'
import type { CopyCatalog, CopyTable } from '../rows/copy-catalog.js'
import { copyOut } from '../rows/copy-rows.js'
import { rowSums } from '../rows/row-sum.js'
import { qualifiedName } from '../rows/table-rows.js'
import { dataLine, lineOf } from './archive-frame.js'
import type {
  ArchiveHeader,
  ArchiveRecord,
  ArchivedSequence,
  FixedHeader,
} from './archive-record.js'
import type { RowProgress } from './progress.js'
import { present } from '../../support/present.js'

/** What an archive is made of. */
export interface ArchiveContent {
  readonly header: ArchiveHeader | FixedHeader
  readonly schema: SchemaName
  readonly catalog: CopyCatalog
  /** In the order of the header. */
  readonly tables: readonly CopyTable[]
  readonly progress: RowProgress
}

/**
 * An archive, before it is compressed, as it is read from the client's snapshot; nothing of it is
 * kept.
 */
export async function* writeArchive(
  client: PoolClient,
  { header, schema, catalog, tables, progress }: ArchiveContent,
): AsyncGenerator<Buffer, void> {
  const lines = createHash('sha256')
  const line = (record: ArchiveRecord): Buffer => {
    const text = lineOf(record)
    lines.update(text)
    return text
  }
  yield line(header)
  for (const table of tables) {
    const rows = createHash('sha256')
    let bytes = 0
    yield line({ table: table.name })
    for await (const chunk of copyOut(client, schema, table)) {
      rows.update(chunk)
      bytes += chunk.length
      progress.moved(table.name, chunk.length)
      yield dataLine(chunk.length)
      yield chunk
    }
    const sum = present((await rowSums(client, schema, [table])).get(table.name))
    yield line({ tableEnd: table.name, bytes, sha256: rows.digest('hex'), sum })
    progress.done(table.name, sum)
  }
  yield line({ sequences: await readSequences(client, schema, catalog) })
  yield lineOf({ end: true, sha256: lines.digest('hex') })
}

/** How far the sequences of a schema have come. */
export async function readSequences(
  client: PoolClient,
  schema: SchemaName,
  { sequences }: CopyCatalog,
): Promise<readonly ArchivedSequence[]> {
  if (sequences.length === 0) return []
  const texts = sequences.map(
    ({ name }) => `select ${quoteLiteral(name)} as name, last_value::text as value,
      ${yesIf('is_called')} as called from ${qualifiedName(schema, name)}`,
  )
  const { rows } = await client.query<{ name: string; value: string; called: string | null }>(
    texts.join(' union all '),
  )
  return rows.map(({ name, value, called }) => ({ name, value, called: isYes(called) }))
}
