import type { PoolClient } from 'pg'
import { ledgerTable } from '../../migration/ledger.js'
import type { SchemaName } from '../../names/schema-name.js'
import type { ArchiveHead, ArchivedSequence } from '../backup/archive-record.js'
import type { RowProgress } from '../backup/progress.js'
import { describeStructure, structureDifferences } from '../rows/compare-structure.js'
import { type CopyCatalog, readCopyCatalog } from '../rows/copy-catalog.js'
import { copyIn } from '../rows/copy-rows.js'
import { fillTables } from '../rows/fill.js'
import { readLateKeys } from '../rows/late-keys.js'
import { refreshViews } from '../rows/materialized-view.js'
import { inRowForm } from '../rows/row-form.js'
import { rowSums } from '../rows/row-sum.js'
import { qualifiedName } from '../rows/table-rows.js'
import { restoreDiffers } from './archive-error.js'
import type { ArchiveEnd, OpenArchive } from './read-archive.js'
import { present } from '../../support/present.js'

/** A schema that has had the migrations of an archive, and is to have its rows. */
export interface LoadedSchema {
  /** Slug of its owner. */
  readonly tenant?: string
  readonly schema: SchemaName
  /** The text of its `search_path`. */
  readonly path: string
  readonly archive: OpenArchive<ArchiveHead>
  readonly progress: RowProgress
  /** Oids of tables in it that are left alone. */
  readonly except?: readonly string[]
}

/**
 * Fills a schema with the rows of an archive, and compares what became of it with what was archived.
 *
 * @throws `RESTORE_DIFFERS`
 */
export async function loadRows(client: PoolClient, loaded: LoadedSchema): Promise<void> {
  const { schema, path, archive, progress, except = [] } = loaded
  const { header } = archive
  await requireStructure(client, loaded)
  await inRowForm(client, async () => {
    const catalog = await readCopyCatalog(client, schema, except)
    const filling = {
      path,
      catalog,
      cut: cutOf(catalog, header),
      late: await readLateKeys(client, schema, header.size, except),
      empty: emptyTexts(schema, header),
    }
    let end: ArchiveEnd = { sums: new Map(), sequences: [] }
    await fillTables(client, filling, async () => {
      end = await archive.readRows({
        fill: async (table, rows) => {
          const { columns = [] } = header.tables.find(({ name }) => name === table) ?? {}
          await copyIn(client, { schema, name: table, columns }, progress.counting(table, rows))
        },
        filled: (table, sum) => progress.done(table, sum),
      })
      await setSequences(client, schema, end.sequences)
    })
    await refreshViews(client, schema, { views: catalog.materializedViews, filled: header.views })
    await requireRows(client, loaded, { end, catalog })
  })
  await dateLedger(client, loaded)
  await requireStructure(client, loaded)
}

/** Keys whose table comes before the one that they refer to. */
function cutOf({ foreignKeys }: CopyCatalog, { tables }: ArchiveHead): CopyCatalog['foreignKeys'] {
  const at = new Map(tables.map(({ name }, index) => [name, index]))
  return foreignKeys.filter(
    ({ from, to }) => from !== to && present(at.get(to)) > present(at.get(from)),
  )
}

function emptyTexts(schema: SchemaName, { tables }: ArchiveHead): readonly string[] {
  if (tables.length === 0) return []
  return [`truncate ${tables.map(({ name }) => qualifiedName(schema, name)).join(', ')}`]
}

/** Lets sequences go on where they were elsewhere. */
export async function setSequences(
  client: PoolClient,
  schema: SchemaName,
  sequences: readonly ArchivedSequence[],
): Promise<void> {
  for (const { name, value, called } of sequences) {
    await client.query('select setval($1::text::regclass, $2::bigint, $3)', [
      qualifiedName(schema, name),
      value,
      called,
    ])
  }
}

async function requireRows(
  client: PoolClient,
  loaded: LoadedSchema,
  { end, catalog }: { readonly end: ArchiveEnd; readonly catalog: CopyCatalog },
): Promise<void> {
  const found = await rowSums(client, loaded.schema, catalog.tables)
  const differing = catalog.tables
    .map(({ name }) => name)
    .filter((name) => found.get(name) !== end.sums.get(name))
  if (differing.length === 0) return
  const tables = differing.map((name) => `table ${name}`)
  throw restoreDiffers(loaded, 'its rows are not those that were backed up', tables)
}

/** When each migration was applied is the tenant's history, and not that of the restore. */
async function dateLedger(client: PoolClient, { schema, archive }: LoadedSchema): Promise<void> {
  const { ledger } = archive.header
  if (ledger.length === 0) return
  await client.query(
    `update ${ledgerTable(schema)} l set executed_at = m.at
     from unnest($1::int[], $2::timestamp[]) as m (id, at) where m.id = l.id`,
    [ledger.map(({ id }) => id), ledger.map(({ at }) => at)],
  )
}

async function requireStructure(client: PoolClient, loaded: LoadedSchema): Promise<void> {
  const differences = structureDifferences(
    loaded.archive.header,
    await describeStructure(client, loaded.schema),
  )
  if (differences.length === 0) return
  const what =
    'its structure is not what was backed up (- is missing, + is too much, ~ is different)'
  throw restoreDiffers(loaded, what, differences)
}
