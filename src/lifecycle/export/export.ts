import { join } from 'node:path'
import type { PoolClient } from 'pg'
import { bridgeOf, pathOf } from '../../migration/layout.js'
import { readStates } from '../../migration/ledger.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import { cancellable } from '../../postgres/cancellable.js'
import { unlessAborted } from '../../support/abort.js'
import { listOf, optionInvalid, refuseUnknown, wholeNumber } from '../../support/options.js'
import { archivedDomain } from '../backup/archive-record.js'
import { type RowEvent, RowProgress } from '../backup/progress.js'
import { lockTables } from '../backup/read-content.js'
import type { LifecycleParts } from '../create/create.js'
import { tenantNotFound } from '../not-found.js'
import { inRowForm } from '../rows/row-form.js'
import { onSnapshot } from '../rows/source-snapshot.js'
import { requireNoPurge } from '../schema-mark.js'
import { schemaMissing } from '../standstill.js'
import { requireStatus } from '../status-change.js'
import { requireUnmoved } from '../unmoved.js'
import { type MovedRows, toldRows } from '../told-change.js'
import { type ExportTable, readExportTables } from './export-catalog.js'
import { fillWhole, freePlace, writeDown } from './export-folder.js'
import { type ExportFormat, writeTables } from './write-tables.js'
import { setLocalPath } from '../../postgres/local-path.js'

export type { ExportFormat } from './write-tables.js'

/** How a tenant's data are exported. */
export interface ExportOptions {
  /** The form of the rows: `csv` for spreadsheets and `COPY`, `ndjson` for programs. */
  readonly format: ExportFormat
  /**
   * Tables that are left out, such as those of the service's own book-keeping.
   *
   * @defaultValue `[]`
   */
  readonly except?: readonly string[]
  /**
   * How long to wait for migrations of the tenant, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /** Is called for each table that is done, and in between for each 16 MB of a large one. */
  readonly onEvent?: (event: RowEvent) => void
  /** Stops the export; then the folder is not there. */
  readonly signal?: AbortSignal
}

/** What was exported. */
export interface ExportReport {
  readonly tenant: string
  readonly schema: string
  /** Full path of the folder. */
  readonly folder: string
  readonly tables: number
  readonly rows: number
  /** Of the files of all tables. */
  readonly bytes: number
}

const FORMATS: readonly ExportFormat[] = ['csv', 'ndjson']
const OPTIONS: readonly (keyof ExportOptions)[] = [
  'format',
  'except',
  'lockTimeout',
  'onEvent',
  'signal',
]

/** Writes a folder with the data of one tenant. See `Tenants.export`. */
export function exportTenant(
  parts: LifecycleParts,
  names: ExportNames,
  options: Partial<ExportOptions> = {},
): Promise<ExportReport> {
  const turn = { action: 'export', slug: names.tenant } as const
  return toldRows(turn, () => exportData(parts, names, options))
}

interface ExportNames {
  readonly tenant: string
  readonly target: string
}

async function exportData(
  parts: LifecycleParts,
  { tenant, target }: ExportNames,
  options: Partial<ExportOptions>,
): Promise<MovedRows<ExportReport>> {
  const { signal } = options
  const wanted = resolved(options)
  if (typeof target !== 'string' || target === '') {
    throw optionInvalid('target', 'The target must be the path of a folder.')
  }
  const source = await findSource(parts, parseSlug(tenant))
  const { slug, schema } = source
  const place = await freePlace(target)
  const held = { schema, hasLedger: source.hasLedger, lockTimeoutMs: wanted.lockTimeoutMs }
  const write = (folder: string): Promise<void> =>
    onSnapshot(cancellable(parts.db, signal), held, (client) =>
      writeContents(parts, client, { ...wanted, ...source, folder }),
    )
  await unlessAborted(signal, () => fillWhole(place, write))
  const report = { tenant: slug, schema, folder: place.path, ...wanted.progress.totals }
  return { tenant: source, report }
}

interface Wanted {
  readonly format: ExportFormat
  readonly except: readonly string[]
  readonly lockTimeoutMs: number
  readonly progress: RowProgress
  readonly signal: AbortSignal | undefined
}

function resolved(options: Partial<ExportOptions>): Wanted {
  refuseUnknown('', options, OPTIONS)
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT_MS, except = [], onEvent, signal } = options
  const format = FORMATS.find((each) => each === options.format)
  if (format === undefined) {
    throw optionInvalid('format', `Option "format" must be one of ${FORMATS.join(', ')}.`)
  }
  return {
    format,
    except: listOf('except', except),
    lockTimeoutMs: wholeNumber('lockTimeout', lockTimeout, 1),
    progress: new RowProgress(onEvent),
    signal,
  }
}

/** The tenant as it was looked up before the transaction. */
interface Source {
  readonly id: string
  readonly slug: Slug
  readonly schema: SchemaName
  readonly hasLedger: boolean
  /** The table `migrations` is the ledger, and not another tool's or the tenant's own. */
  readonly isLedgerOurs: boolean
}

async function findSource(parts: LifecycleParts, slug: Slug): Promise<Source> {
  const { layout, registry, db } = parts
  const tenant = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  requireStatus(tenant, 'export')
  const schema = parseSchemaName(tenant.schema)
  const state = (await readStates(db, [{ schema, migrations: [] }], true)).get(schema)
  if (state?.exists !== true) throw schemaMissing(schema)
  const isBridged = bridgeOf(layout, { schema, kind: 'tenant' }) !== undefined
  const isLedgerOurs = !isBridged && state.foreign !== true
  return {
    id: tenant.id,
    slug,
    schema,
    isLedgerOurs,
    hasLedger: isLedgerOurs && state.applied.length > 0,
  }
}

interface Job extends Wanted, Source {
  readonly folder: string
}

async function writeContents(parts: LifecycleParts, client: PoolClient, job: Job): Promise<void> {
  const { slug, schema, folder, format, signal } = job
  const { id, name, status, metadata, createdAt } = await requireUnmoved(parts.registry, client, {
    slug,
    schema,
    change: 'export',
  })
  await requireNoPurge(client, schema)
  const at = new Date()
  await client.query('set transaction read only')
  const { registry, layout } = parts
  const domains = await registry.domainsOf(client, slug)
  await inRowForm(client, async () => {
    const path = pathOf(layout, schema, 'tenant')
    await setLocalPath(client, path)
    const tables = chosen(job, await readExportTables(client, schema))
    await lockTables(client, { tables }, schema)
    const written = await writeTables(client, { ...job, tables })
    const contents = {
      tenantry: 'export',
      format,
      at,
      tenant: { id, slug, name, schema, status, metadata, createdAt },
      domains: domains.map(archivedDomain),
      tables: written,
    }
    const text = `${JSON.stringify(contents, undefined, 2)}\n`
    await writeDown(join(folder, 'tenant.json'), [Buffer.from(text)], signal)
  })
}

/** All tables but the ledger, which is not the tenant's, and those that are not wanted. */
function chosen(
  { except, isLedgerOurs }: Job,
  found: readonly ExportTable[],
): readonly ExportTable[] {
  const tables = found.filter(({ name }) => !isLedgerOurs || name !== 'migrations')
  const unknown = except.find((left) => !tables.some(({ name }) => name === left))
  if (unknown === undefined) return tables.filter(({ name }) => !except.includes(name))
  throw optionInvalid(
    'except',
    `Option "except" names ${JSON.stringify(unknown)}, which is no table of the tenant. ` +
      `Choose from ${tables.map(({ name }) => name).join(', ')}.`,
  )
}
