import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { TenantryError } from '../../errors.js'
import type { RunReport } from '../../migration/report.js'
import { parseSchemaName } from '../../names/schema-name.js'
import { parseSlug } from '../../names/slug.js'
import { isMissingFile } from '../../support/missing-file.js'
import { flag, refuseUnknown } from '../../support/options.js'
import type { LifecycleParts } from '../create.js'
import { restoreTenant } from '../restore/restore.js'
import type { RestoreAllOptions } from './fleet-options.js'
import { FLEET_OPTIONS, checkFolder, runFleet } from './fleet-run.js'
import { type ArchivedFile, isWhole, noManifest, readManifest } from './manifest.js'

const OPTIONS: readonly (keyof RestoreAllOptions)[] = [...FLEET_OPTIONS, 'skipExisting']

/** Restores each tenant of a folder of archives. See `Tenants.restoreAll`. */
export async function restoreAll(
  parts: LifecycleParts,
  path: string,
  options: RestoreAllOptions,
): Promise<RunReport> {
  refuseUnknown('', options, OPTIONS)
  const skipExisting = flag('skipExisting', options.skipExisting ?? false)
  checkFolder(path)
  const folder = await realpath(path).catch((error: unknown) => {
    throw isMissingFile(error) ? noManifest(path) : error
  })
  const archives = await readManifest(folder)
  if (archives === undefined) throw noManifest(folder)
  const items = [...archives.values()].map((archive) => ({
    ...archive,
    slug: archive.tenant,
    schema: parseSchemaName(archive.schema),
  }))
  const { registry, db, lookUps } = parts
  return runFleet(parts, items, {
    options,
    work: async ({ slug, ...archive }, one) => {
      const isThere = (await registry.findBySlug(db, parseSlug(slug))) !== undefined
      if (isThere && skipExisting) return 'current'
      if (!(await isWhole(folder, archive))) throw notWhole(folder, archive)
      const { tenant } = await restoreTenant(parts, join(folder, archive.file), one)
      lookUps.forgetTenant(tenant.slug)
      return 'done'
    },
  })
}

function notWhole(folder: string, { file, tenant }: ArchivedFile): TenantryError {
  const path = join(folder, file)
  return new TenantryError(
    'ARCHIVE_INVALID',
    `The archive "${path}" is not the one that its manifest has: its size or its SHA-256 is another. ` +
      'Nothing of it was restored. Take another copy of it.',
    { file: path, tenant },
  )
}
