import { join } from 'node:path'
import { selectSchemas } from '../../migration/selection.js'
import { select } from '../../selector/selector.js'
import { refuseUnknown } from '../../support/options.js'
import { backupTenant } from '../backup/backup.js'
import { digestOfFile } from '../backup/file-digest.js'
import { rememberReferences } from '../backup/remember-references.js'
import type { LifecycleParts } from '../create.js'
import type { RunTenant } from '../run-tenants.js'
import type { BackupAllOptions, BackupAllReport } from './fleet-options.js'
import { FLEET_OPTIONS, checkFolder, runFleet } from './fleet-run.js'
import { inFolder } from './folder.js'
import { ManifestWriter, isWhole, readManifest } from './manifest.js'

const OPTIONS: readonly (keyof BackupAllOptions)[] = [
  ...FLEET_OPTIONS,
  'select',
  'exclude',
  'limit',
  'canary',
  'engine',
  'pgDump',
]

/** Writes an archive of each selected tenant into a folder. See `Tenants.backupAll`. */
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
  const left = schemas.flatMap(({ tenant, schema }) => (tenant === undefined ? [schema] : []))
  const items = schemas.flatMap(({ tenant, schema }) =>
    tenant === undefined ? [] : [{ slug: tenant.slug, schema }],
  )
  return inFolder(parts.db, path, async (folder) => {
    const report = await backUp(parts, { folder, items, left, options })
    return { ...report, folder, left }
  })
}

interface Backup {
  readonly folder: string
  readonly items: readonly RunTenant[]
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
    work: async ({ slug: tenant }, one) => {
      const former = kept.get(tenant)
      if (former !== undefined && (await isWhole(folder, former))) return 'current'
      const file = `${tenant}.${engine === 'pg_dump' ? 'dump' : 'tenantry.gz'}`
      const target = join(folder, file)
      const report = await backupTenant(parts, { tenant, target, referenceOf }, { ...one, ...by })
      const at = new Date().toISOString()
      const { sha256, bytes: size } = await digestOfFile(target)
      await manifest.add({ ...report, file, at, size, sha256 })
      return 'done'
    },
  })
}
