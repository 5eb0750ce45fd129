import { rm, writeFile } from 'node:fs/promises'
import type { PoolClient } from 'pg'
import { pathOf } from '../../migration/layout.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { cancellable } from '../../postgres/cancellable.js'
import { unlessAborted } from '../../support/abort.js'
import { writeFileWhole } from '../backup/archive-file.js'
import type { ArchiveHeader } from '../backup/archive-record.js'
import type { BackupReport } from '../backup/backup.js'
import { type Source, requireSameSource } from '../backup/backup-source.js'
import { digestOfFile } from '../backup/file-digest.js'
import type { RowProgress } from '../backup/progress.js'
import { readContent } from '../backup/read-content.js'
import { majorOf, serverVersion } from '../rows/server-version.js'
import type { LifecycleParts } from '../create/create.js'
import type { CopyTable } from '../rows/copy-catalog.js'
import { inRowForm } from '../rows/row-form.js'
import { rowSums } from '../rows/row-sum.js'
import { onSnapshot } from '../rows/source-snapshot.js'
import { withConnection } from './connection.js'
import { ProgramFailed, majorVersionOf, withProgram } from './program.js'
import { dumpFailed, dumpTooOld } from './program-error.js'
import { type Sidecar, sidecarOf, sidecarText } from './sidecar.js'
import { present } from '../../support/present.js'

/** A backup that `pg_dump` makes. */
export interface DumpOrder {
  readonly source: Source
  readonly target: string
  /** The program. */
  readonly program: string
  readonly progress: RowProgress
  readonly lockTimeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What was backed up. */
type DumpTotals = Pick<BackupReport, 'tables' | 'rows' | 'bytes'>

/**
 * Has `pg_dump` write the archive of a tenant, and writes beside it what the registry says and what
 * the rows come to, all of one moment.
 *
 * @throws `PG_DUMP_UNFIT`, `PG_DUMP_FAILED`, `TENANT_BUSY`
 */
export async function backUpByDump(parts: LifecycleParts, order: DumpOrder): Promise<DumpTotals> {
  const { source, program, progress, lockTimeoutMs, signal } = order
  const { schema, applied } = source
  const version = await majorVersionOf(program)
  const held = { schema, hasLedger: applied.length > 0, lockTimeoutMs }
  const read = async (client: PoolClient): Promise<DumpTotals> => {
    const tenant = await requireSameSource(parts, client, source)
    const server = majorOf(await serverVersion(client))
    if (version < server) throw dumpTooOld(program, version, server)
    await client.query('set transaction read only')
    const path = pathOf(parts.layout, schema, 'tenant')
    return inRowForm(client, async () => {
      const content = await readContent(client, { ...source, tenant, path }, parts.registry)
      const structure = dumped(content.header.structure)
      const found = { ...content, schema, header: { ...content.header, structure } }
      const bytes = await writeBoth(client, order, found)
      return { ...counted(progress), bytes }
    })
  }
  return unlessAborted(signal, () => onSnapshot(cancellable(parts.db, signal), held, read))
}

interface Found {
  readonly schema: SchemaName
  readonly header: ArchiveHeader
  readonly tables: readonly CopyTable[]
}

/** The sidecar is on the disk before the archive gets its name, and gets its own after that. */
async function writeBoth(
  client: PoolClient,
  order: DumpOrder,
  { schema, header, tables }: Found,
): Promise<number> {
  const { target, progress, signal } = order
  const sizes: number[] = []
  await writeFileWhole(sidecarOf(target), (sidecar) =>
    writeFileWhole(target, async (part) => {
      await dump(client, order, part)
      const { sha256, bytes } = await digestOfFile(part, signal)
      const sums = await rowSums(client, schema, tables)
      for (const [table, sum] of sums) progress.done(table, sum)
      const text = sidecarText({ sha256, bytes, header, sums: Object.fromEntries(sums) })
      await writeFile(sidecar, text, { flag: 'wx' })
      sizes.push(bytes)
      // That of an archive which was here before says nothing of this one.
      await rm(sidecarOf(target), { force: true })
    }),
  )
  return present(sizes[0])
}

function counted({ totals: { tables, rows } }: RowProgress): Pick<BackupReport, 'tables' | 'rows'> {
  return { tables, rows }
}

/** It sees the rows of the client's snapshot, and whoever has a table locked cannot hold it up for ever. */
async function dump(client: PoolClient, order: DumpOrder, file: string): Promise<void> {
  const { source, program, lockTimeoutMs, signal } = order
  const { rows } = await client.query<{ snapshot: string }>(
    'select pg_catalog.pg_export_snapshot() as snapshot',
  )
  const args = [
    '--format=custom',
    '--encoding=UTF8',
    '--no-password',
    `--schema=${patternOf(source.schema)}`,
    `--snapshot=${rows[0]?.snapshot}`,
    `--lock-wait-timeout=${lockTimeoutMs}`,
    `--file=${file}`,
  ]
  try {
    await withConnection(client, (environment) =>
      withProgram({ program, args, environment, signal }, async (output) => {
        output.resume()
      }),
    )
  } catch (error) {
    throw error instanceof ProgramFailed ? dumpFailed(source.slug, error) : error
  }
}

/** In a pattern of `pg_dump` a name in quotation marks means itself, and nothing else. */
function patternOf(schema: SchemaName): string {
  return quoteIdent(schema)
}

/** `pg_dump` leaves out what a failed CREATE INDEX CONCURRENTLY has left. */
function dumped(structure: ArchiveHeader['structure']): Sidecar['header']['structure'] {
  const broken = new Set(
    structure.flatMap(({ kind, name, detail }) =>
      kind === 'index' && / INVALID\b/.test(detail) ? name : [],
    ),
  )
  return structure.filter(({ kind, name }) => !(kind.endsWith('index') && broken.has(name)))
}
