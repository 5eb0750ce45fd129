import type { PoolClient } from 'pg'
import { ledgerTable } from '../../migration/ledger.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { parseSlug } from '../../names/slug.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { Tenant } from '../../registry/tenant.js'
import { describeStructure } from '../rows/compare-structure.js'
import { readCopyCatalog } from '../rows/copy-catalog.js'
import { copyOrder } from '../rows/copy-order.js'
import { writtenColumns } from '../rows/copy-rows.js'
import { tableBytes } from '../rows/late-keys.js'
import { filledViews } from '../rows/materialized-view.js'
import { requireSeen } from '../rows/require-seen.js'
import { qualifiedName } from '../rows/table-rows.js'
import { busy } from '../schema-lock.js'
import {
  ARCHIVE_FORMAT,
  type ArchiveHead,
  type ArchiveHeader,
  type ArchivedMigration,
  archivedDomain,
} from './archive-record.js'
import type { ArchiveContent } from './write-archive.js'
import { setLocalPath } from '../../postgres/local-path.js'

/** A schema that is being backed up. */
export interface ReadSource {
  readonly schema: SchemaName
  /** The text of its `search_path`. */
  readonly path: string
  readonly applied: readonly unknown[]
  /** Oids of tables in it whose rows are not its own. */
  readonly except?: readonly string[]
}

/** A tenant that is being backed up. */
export interface BackupSource extends ReadSource {
  readonly tenant: Tenant
}

/** All of an archive but the rows. */
export type ReadContent<Header> = Pick<ArchiveContent, 'catalog' | 'tables'> & {
  readonly header: Header
}

/** Reads all of a tenant but its rows; see {@link readSchema}. */
export async function readContent(
  client: PoolClient,
  source: BackupSource,
  registry: TenantRegistry,
): Promise<ReadContent<ArchiveHeader>> {
  const { tenant } = source
  const domains = await registry.domainsOf(client, parseSlug(tenant.slug))
  const { header, ...content } = await readSchema(client, source)
  const own = { tenant: archived(tenant), domains: domains.map(archivedDomain) }
  return { ...content, header: { ...header, ...own } }
}

/**
 * Reads all of a schema but its rows from the client's snapshot, in the form of rows, and leaves the
 * client with the schema's path, by which names in values are short and fit whatever it will be called.
 */
export async function readSchema(
  client: PoolClient,
  { schema, path, applied, except = [] }: ReadSource,
): Promise<ReadContent<ArchiveHead>> {
  const catalog = await readCopyCatalog(client, schema, except)
  await lockTables(client, catalog, schema)
  const { tables } = copyOrder(catalog.tables, catalog.foreignKeys)
  const header: ArchiveHead = {
    tenantry: 'backup',
    format: ARCHIVE_FORMAT,
    at: new Date().toISOString(),
    ...(await describeStructure(client, schema)),
    ledger: applied.length === 0 ? [] : await readWholeLedger(client, schema),
    tables: tables.map((table) => ({ name: table.name, columns: writtenColumns(table) })),
    views: await filledViews(client, schema),
    size: await tableBytes(client, schema),
  }
  await setLocalPath(client, path)
  return { header, catalog, tables }
}

/**
 * Keeps changes of the structure by hand away until the end, as `pg_dump` does.
 *
 * @throws `TENANT_BUSY`
 */
export async function lockTables(
  client: PoolClient,
  { tables }: { readonly tables: readonly { readonly name: string }[] },
  schema: SchemaName,
): Promise<void> {
  if (tables.length === 0) return
  const names = tables.map((table) => qualifiedName(schema, table.name))
  await client
    .query(`lock table ${names.join(', ')} in access share mode`)
    .catch((error: unknown) => {
      if (sqlStateOf(error) === SQL_STATE.lockNotAvailable) throw busy(schema, error)
      throw error
    })
  await requireSeen(client, schema, names)
}

function archived({ id, slug, name, schema, status, metadata }: Tenant): ArchiveHeader['tenant'] {
  return { id, slug, name, schema: parseSchemaName(schema), status, metadata }
}

async function readWholeLedger(
  client: PoolClient,
  schema: SchemaName,
): Promise<readonly ArchivedMigration[]> {
  const { rows } = await client.query<{ id: string; name: string; hash: string; at: string }>(
    `select id::text, name, hash, executed_at::text as at from ${ledgerTable(schema)} order by id`,
  )
  return rows.map(({ id, name, hash, at }) => ({ id: Number(id), name, hash, at }))
}
