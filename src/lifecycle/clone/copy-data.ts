import type { PoolClient } from 'pg'
import { quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { optionInvalid } from '../../support/options.js'
import { type CopyCatalog, type CopyTable, readCopyCatalog } from '../rows/copy-catalog.js'
import { copyOrder } from '../rows/copy-order.js'
import { fillTables } from '../rows/fill.js'
import { readLateKeys, tableBytes } from '../rows/late-keys.js'
import { filledViews, refreshViews } from '../rows/materialized-view.js'
import { inRowForm } from '../rows/row-form.js'
import { qualifiedName, rowsOf } from '../rows/table-rows.js'
import { requireSameRows } from './compare.js'
import type { CopyWay } from './copy-way.js'

/** Which tables are copied: all of them, none, or those named. */
export type CopyChoice = boolean | readonly string[]

/**
 * Copies the rows of tables, what their sequences have come to, and what materialized views hold.
 *
 * @throws `OPTIONS_INVALID` for a table that does not exist, `CLONE_DIFFERS` when a row became another
 */
export async function copyData(
  client: PoolClient,
  way: CopyWay,
  choice: CopyChoice,
): Promise<void> {
  if (choice === false) return
  await inRowForm(client, async () => {
    const catalog = await readCopyCatalog(client, way.copy)
    const tables = chosen(catalog, choice)
    const { tables: inOrder, cut } = copyOrder(tables, catalog.foreignKeys)
    const empty = emptyTexts(way, inOrder, choice)
    const late = await readLateKeys(client, way.copy, await tableBytes(client, way.source))
    await fillTables(client, { path: way.path, catalog, cut, late, empty }, async () => {
      for (const table of inOrder) await client.query(copyText(way, table))
      const texts = sequenceTexts(way, catalog, choice)
      if (texts.length > 0) await client.query(texts.join(';\n'))
    })
    const filled = await filledViews(client, way.source)
    await refreshViews(client, way.copy, { views: catalog.materializedViews, filled })
    await requireSameRows(client, way, tables)
  })
}

function chosen({ tables }: CopyCatalog, choice: CopyChoice): readonly CopyTable[] {
  if (typeof choice === 'boolean') return tables
  const unknown = choice.find((wanted) => !tables.some(({ name }) => name === wanted))
  if (unknown === undefined) return tables.filter(({ name }) => choice.includes(name))
  throw optionInvalid(
    'data',
    `Option "data" names ${JSON.stringify(unknown)}, which is no table of the tenants. ` +
      `Choose from ${tables.map(({ name }) => name).join(', ')}.`,
  )
}

/** Migrations may have filled the tables; what refers to a row of a chosen table goes with it. */
function emptyTexts(
  { copy }: CopyWay,
  tables: readonly CopyTable[],
  choice: CopyChoice,
): readonly string[] {
  const names = tables.map((table) => rowsOf(copy, table))
  if (names.length === 0) return []
  if (choice === true) return [`truncate ${names.join(', ')}`]
  return names.toReversed().map((name) => `delete from ${name}`)
}

function copyText({ source, copy }: CopyWay, table: CopyTable): string {
  const { name, columns } = table
  const written = columns.filter(({ generated }) => !generated)
  const names = written.map((column) => quoteIdent(column.name))
  const values = written.map(({ name: column, ownType }) =>
    ownType === null ? quoteIdent(column) : `${quoteIdent(column)}::text::${ownType}`,
  )
  const list = names.length > 0 ? `(${names.join(', ')}) overriding system value` : ''
  return `insert into ${qualifiedName(copy, name)} ${list}
    select ${values.join(', ')} from ${rowsOf(source, table)}`
}

function sequenceTexts(
  { source, copy }: CopyWay,
  { sequences }: CopyCatalog,
  choice: CopyChoice,
): readonly string[] {
  return sequences
    .filter(({ tables }) => typeof choice === 'boolean' || tables.some((t) => choice.includes(t)))
    .map(
      ({ name }) =>
        `select setval(${quoteLiteral(qualifiedName(copy, name))}::regclass, last_value, is_called)
         from ${qualifiedName(source, name)}`,
    )
}
