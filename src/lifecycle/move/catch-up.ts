import type { PoolClient } from 'pg'
import { pathOf } from '../../migration/layout.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { RowProgress } from '../backup/progress.js'
import { readSequences } from '../backup/write-archive.js'
import { restoreDiffers } from '../restore/archive-error.js'
import { setSequences } from '../restore/load-rows.js'
import { type CopyCatalog, type CopyTable, readCopyCatalog } from '../rows/copy-catalog.js'
import { copyOrder } from '../rows/copy-order.js'
import { copyIn, copyOut, writtenColumns } from '../rows/copy-rows.js'
import { fillTables } from '../rows/fill.js'
import { type LateKeys, readLateKeys, tableBytes } from '../rows/late-keys.js'
import { filledViews, refreshViews } from '../rows/materialized-view.js'
import { inRowForm } from '../rows/row-form.js'
import { rowSums } from '../rows/row-sum.js'
import { onSnapshot } from '../rows/source-snapshot.js'
import { qualifiedName } from '../rows/table-rows.js'
import { holdSchemas } from '../schema-lock.js'
import type { Arrival } from './arrival.js'
import type { Move } from './move.js'
import { serveArrival } from './serve-arrival.js'
import type { MoveSource } from './source.js'
import { present } from '../../support/present.js'
import { setLocalPath } from '../../postgres/local-path.js'

/** What had changed since the first copy was made. */
export interface CaughtUp {
  readonly recopied: readonly string[]
  readonly tables: number
  readonly rows: number
}

/** One side of a move, with a client in its transaction. */
interface Side {
  readonly client: PoolClient
  readonly schema: SchemaName
  /** The text of the tenant's `search_path`. */
  readonly path: string
  readonly catalog: CopyCatalog
}

/**
 * Brings the copy of a tenant that is stopped up to date, verifies all of it, and serves it, in one
 * transaction. Only tables of which the sums differ are copied again, with those that refer to them.
 *
 * @throws `RESTORE_DIFFERS`, `TENANT_BUSY`; then the copy is as it was
 */
export async function catchUp(move: Move, source: MoveSource, arrival: Arrival): Promise<CaughtUp> {
  const { from, to, lockTimeoutMs } = move
  return onSnapshot(from.db, { ...source, lockTimeoutMs }, async (reader) => {
    await reader.query('set transaction read only')
    return to.db.transaction(async (writer) => {
      await holdSchemas(writer, { schemas: [arrival.schema], lockTimeoutMs })
      const caughtUp = await inRowForm(reader, () =>
        inRowForm(writer, async () => {
          const here = await sideOf(
            reader,
            source.schema,
            pathOf(from.layout, source.schema, 'tenant'),
          )
          const there = await sideOf(
            writer,
            arrival.schema,
            pathOf(to.layout, arrival.schema, 'tenant'),
          )
          return copyChanges(move, here, there)
        }),
      )
      await serveArrival(move, { reader, writer }, source, arrival)
      return caughtUp
    })
  })
}

async function sideOf(client: PoolClient, schema: SchemaName, path: string): Promise<Side> {
  await client.query('set local search_path = pg_catalog')
  return { client, schema, path, catalog: await readCopyCatalog(client, schema) }
}

async function copyChanges(move: Move, here: Side, there: Side): Promise<CaughtUp> {
  const plan = await planCopy(here, there)
  const filled = await filledViews(here.client, here.schema)
  const isSame = filled.join() === (await filledViews(there.client, there.schema)).join()
  for (const side of [here, there]) await setLocalPath(side.client, side.path)
  const [wanted, found] = await Promise.all([sumsOf(here), sumsOf(there)])
  const differing = [...wanted].filter(([name, sum]) => found.get(name) !== sum)
  const again = withReferrers(
    differing.map(([name]) => name),
    plan.links,
  )
  const recopied = await copyAgain(move, { here, there, late: plan.late, wanted }, again)
  const sequences = await readSequences(here.client, here.schema, here.catalog)
  await setSequences(there.client, there.schema, sequences)
  if (recopied.length > 0 || !isSame) {
    const { materializedViews: views } = there.catalog
    await refreshViews(there.client, there.schema, { views, filled })
  }
  const names = recopied.map(({ name }) => name)
  const arrived = await sumsOf(there, recopied)
  const wrong = names.filter((name) => arrived.get(name) !== wanted.get(name))
  if (wrong.length > 0) {
    throw restoreDiffers(
      { tenant: move.slug, schema: there.schema },
      'its rows are not those of the source',
      wrong,
    )
  }
  const rows = [...wanted.values()].reduce((sum, each) => sum + Number.parseInt(each, 10), 0)
  return { recopied: names, tables: wanted.size, rows }
}

function sumsOf(
  { client, schema, catalog }: Side,
  tables: readonly CopyTable[] = catalog.tables,
): Promise<ReadonlyMap<string, string>> {
  return rowSums(client, schema, tables)
}

/** What has to be read while names in definitions are whole. */
async function planCopy(here: Side, there: Side): Promise<CopyPlan> {
  const bytes = await tableBytes(here.client, here.schema)
  const late = await readLateKeys(there.client, there.schema, bytes)
  return { late, links: await readLinks(there) }
}

interface CopyPlan {
  readonly late: LateKeys
  readonly links: readonly TableLink[]
}

/** Both sides, and the keys that are made after the rows. */
interface Copying extends Pick<CopyPlan, 'late'> {
  readonly here: Side
  readonly there: Side
  /** What the rows of the source come to. */
  readonly wanted: ReadonlyMap<string, string>
}

async function copyAgain(
  { onEvent }: Move,
  { here, there, late, wanted }: Copying,
  again: ReadonlySet<string>,
): Promise<readonly CopyTable[]> {
  const { path, catalog, schema, client } = there
  const chosen = here.catalog.tables.filter(({ name }) => again.has(name))
  const { tables, cut } = copyOrder(chosen, catalog.foreignKeys)
  if (tables.length === 0) return []
  const progress = new RowProgress(onEvent)
  const filling = {
    path,
    catalog,
    cut,
    late: late.filter(({ table }) => again.has(table)),
    empty: [`truncate ${tables.map(({ name }) => qualifiedName(schema, name)).join(', ')}`],
  }
  await fillTables(client, filling, async () => {
    for (const table of tables) {
      const { name } = table
      const rows = progress.counting(name, copyOut(here.client, here.schema, table))
      await copyIn(client, { schema, name, columns: writtenColumns(table) }, rows)
      progress.done(name, present(wanted.get(name)))
    }
  })
  return tables
}

interface TableLink {
  readonly from: string
  readonly to: string
}

/** All foreign keys inside of a schema, by the tables that rows are copied through. */
async function readLinks({ client, schema }: Side): Promise<readonly TableLink[]> {
  const { rows } = await client.query<TableLink>(
    `select f.relname::text as "from", t.relname::text as "to"
     from pg_constraint k
     join pg_class f on f.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid)
     join pg_class t on t.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
     where k.contype = 'f' and f.relnamespace = to_regnamespace($1)
       and t.relnamespace = to_regnamespace($1)`,
    [quoteIdent(schema)],
  )
  return rows
}

/** TRUNCATE takes a table only together with all that refer to it. */
function withReferrers(
  tables: readonly string[],
  links: readonly TableLink[],
): ReadonlySet<string> {
  const all = new Set(tables)
  for (const table of all) {
    for (const { from, to } of links) if (to === table) all.add(from)
  }
  return all
}
