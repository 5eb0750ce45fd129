import { join } from 'node:path'
import { selectSchemas } from '../../migration/selection.js'
import { select } from '../../selector/selector.js'
import { refuseUnknown } from '../../support/options.js'
import {
  type BackupOptions,
  type BackupOrder,
  type BackupReport,
  backupTenant,
} from '../backup/backup.js'
import { digestOfFile } from '../backup/file-digest.js'
import { rememberReferences } from '../backup/remember-references.js'
import type { LifecycleParts } from '../create/create.js'
import { backupFixed } from '../fixed-archive/backup-fixed.js'
import { type FixedSource, findFixed } from '../fixed-archive/fixed-source.js'
import type { RunSchema } from '../run-schemas.js'
import type { BackupAllOptions, BackupAllReport } from './fleet-options.js'
import { FLEET_OPTIONS, checkFolder, runFleet } from './fleet-run.js'
import { inFolder } from './folder.js'
import { type ArchivedFile, ManifestWriter, isWhole, readManifest } from './manifest.js'

const OPTIONS: readonly (keyof BackupAllOptions)[] = [
  ...FLEET_OPTIONS,
  'select',
  'exclude',
  'limit',
  'canary',
  'engine',
  'pgDump',
]

/** Writes an archive of each selected schema into a folder. See `Tenants.backupAll`. */
export async function backupAll(
  parts: LifecycleParts,
  path: string,
  options: BackupAllOptions,
): Promise<BackupAllReport> {
  refuseUnknown('', options, OPTIONS)
  checkFolder(path)
  const { select: selector = select.tenants(), exclude = [], limit } = options
  const chosen = { select: selector, exclude, limit }
  const schemas = await selectSchemas({ ...parts, spares: undefined }, chosen)
  const { found, left } = await findFixed(parts, schemas)
  const items: Item[] = [
    ...schemas.flatMap(({ tenant, schema }) =>
      tenant === undefined ? [] : [{ slug: tenant.slug, schema, kind: 'tenant' as const }],
    ),
    ...found.map((source) => ({ schema: source.schema, kind: source.kind, source })),
  ]
  return inFolder(parts.db, path, async (folder) => {
    const report = await backUp(parts, { folder, items, left, options })
    return { ...report, folder, left }
  })
}

/** A tenant, or another schema. */
type Item = RunTenant | RunFixed

interface RunTenant extends RunSchema {
  readonly slug: string
}

interface RunFixed extends RunSchema {
  readonly source: FixedSource
}

interface Backup {
  readonly folder: string
  readonly items: readonly Item[]
  readonly left: readonly string[]
  readonly options: BackupAllOptions
}

async function backUp(
  parts: LifecycleParts,
  { folder, items, left, options }: Backup,
): Promise<Omit<BackupAllReport, 'folder' | 'left'>> {
  const kept = (await readManifest(folder)) ?? new Map()
  const manifest = await ManifestWriter.begin(folder, { left, kept })
  const referenceOf = rememberReferences()
  const { engine, pgDump } = options
  const by = { ...(engine && { engine }), ...(pgDump !== undefined && { pgDump }) }
  return runFleet(parts, items, {
    options,
    together: true,
    work: async (item, one) => {
      const file = fileFor(item, engine)
      const former = kept.get('slug' in item ? item.slug : file)
      if (former !== undefined && (await isWhole(folder, former))) return 'current'
      const target = join(folder, file)
      const report =
        'slug' in item
          ? await backupOne(parts, { tenant: item.slug, target, referenceOf }, { ...one, ...by })
          : await backupFixed(parts, { source: item.source, target, referenceOf }, one)
      const at = new Date().toISOString()
      const { sha256, bytes: size } = await digestOfFile(target)
      await manifest.add({ ...report, file, at, size, sha256 })
      return 'done'
    },
  })
}

/** A slug has no dot, so that no tenant's archive is called like that of another schema. */
function fileFor(item: Item, engine: BackupOptions['engine']): string {
  if (!('slug' in item)) return `${item.schema}.${item.kind}.tenantry.gz`
  return `${item.slug}.${engine === 'pg_dump' ? 'dump' : 'tenantry.gz'}`
}

async function backupOne(
  parts: LifecycleParts,
  order: BackupOrder,
  options: BackupOptions,
): Promise<Pick<ArchivedFile, 'kind' | keyof BackupReport>> {
  return { kind: 'tenant', ...(await backupTenant(parts, order, options)) }
}
