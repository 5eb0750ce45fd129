import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import { optionInvalid } from '../../support/options.js'
import {
  type CopyCatalog,
  type CopyTable,
  type ForeignKey,
  type Reaction,
  readCopyCatalog,
} from './copy-catalog.js'
import { copyOrder } from './copy-order.js'
import { qualifiedName, rowsOf } from './table-rows.js'

/** From where to where rows are copied; both schemas are built alike. */
export interface CopyWay {
  readonly source: SchemaName
  readonly copy: SchemaName
  /** The text of the new schema's `search_path`: functions that are called expect it. */
  readonly path: string
}

/** Which tables are copied: all of them, none, or those named. */
export type CopyChoice = boolean | readonly string[]

/**
 * Copies the rows of tables, what their sequences have come to, and what materialized views hold.
 *
 * Nothing acts on its own meanwhile: triggers and rules of the new schema are switched off, and
 * afterwards as they were. Foreign keys that close a cycle and cannot be deferred are made again, so
 * that they are checked at the end; that needs no superuser, other than session_replication_role.
 *
 * @returns the tables that were copied.
 * @throws `OPTIONS_INVALID` for a table that does not exist
 */
export async function copyData(
  client: PoolClient,
  way: CopyWay,
  choice: CopyChoice,
): Promise<readonly CopyTable[]> {
  if (choice === false) return []
  await client.query('set local search_path = pg_catalog')
  // A row that a policy hides would be missing in the copy; this makes it an error.
  await client.query('set local row_security = off')
  await client.query(`set local intervalstyle = 'postgres'; set local datestyle = 'ISO, YMD'`)
  const catalog = await readCopyCatalog(client, way.copy)
  const tables = chosen(catalog, choice)
  const { tables: order, cut } = copyOrder(
    tables.map(({ name }) => name),
    catalog.foreignKeys,
  )
  const inOrder = order.flatMap((wanted) => tables.filter(({ name }) => name === wanted))
  await client.query(`select set_config('search_path', $1, true)`, [way.path])
  const run = (texts: readonly string[]): Promise<unknown> =>
    texts.length === 0 ? Promise.resolve() : client.query(texts.join(';\n'))

  await run(catalog.reactions.map(switchOff))
  await run(catalog.forced.map((table) => `alter table ${table} no force row level security`))
  await run(cut.map(dropKey))
  await run(['set constraints all deferred', ...emptyTexts(way, inOrder, choice)])
  for (const table of inOrder) await client.query(copyText(way, table))
  await run(['set constraints all immediate', ...cut.flatMap(addKey)])
  await run(sequenceTexts(way, catalog, choice))
  await run(catalog.forced.map((table) => `alter table ${table} force row level security`))
  await run(catalog.reactions.map(switchOn))
  await refreshViews(client, way, catalog)
  return tables
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

function switchOff({ owner, kind, name }: Reaction): string {
  return `alter table only ${owner} disable ${kind} ${quoteIdent(name)}`
}

function switchOn({ owner, kind, name, always }: Reaction): string {
  return `alter table only ${owner} enable ${always ? 'always ' : ''}${kind} ${quoteIdent(name)}`
}

function dropKey({ owner, name }: ForeignKey): string {
  return `alter table ${owner} drop constraint ${quoteIdent(name)}`
}

function addKey({ owner, name, definition, comment }: ForeignKey): readonly string[] {
  const constraint = quoteIdent(name)
  return [
    `alter table ${owner} add constraint ${constraint} ${definition}`,
    ...(comment === null
      ? []
      : [`comment on constraint ${constraint} on ${owner} is ${quoteLiteral(comment)}`]),
  ]
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

async function refreshViews(
  client: PoolClient,
  { source, copy }: CopyWay,
  { materializedViews }: CopyCatalog,
): Promise<void> {
  if (materializedViews.length === 0) return
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_catalog.pg_class
     where relnamespace = to_regnamespace($1) and relkind = 'm' and relispopulated`,
    [quoteIdent(source)],
  )
  const filled = new Set(rows.map(({ name }) => name))
  for (const name of materializedViews) {
    const data = filled.has(name) ? 'with data' : 'with no data'
    await client.query(`refresh materialized view ${qualifiedName(copy, name)} ${data}`)
  }
}
