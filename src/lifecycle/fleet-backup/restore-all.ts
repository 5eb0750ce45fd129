import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { TenantryError } from '../../errors.js'
import { readStates } from '../../migration/ledger.js'
import type { RunReport } from '../../migration/run/report.js'
import { parseSchemaName } from '../../names/schema-name.js'
import { parseSlug } from '../../names/slug.js'
import { isMissingFile } from '../../support/missing-file.js'
import { flag, refuseUnknown } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { restoreFixed } from '../fixed-archive/restore-fixed.js'
import { restoreTenant } from '../restore/restore.js'
import type { RunSchema } from '../run-schemas.js'
import type { RestoreAllOptions } from './fleet-options.js'
import { FLEET_OPTIONS, checkFolder, runFleet } from './fleet-run.js'
import { type ArchivedFile, isWhole, noManifest, readManifest } from './manifest.js'

const OPTIONS: readonly (keyof RestoreAllOptions)[] = [...FLEET_OPTIONS, 'skipExisting']

/** Restores each schema of a folder of archives: first those that tenants may need. See `Tenants.restoreAll`. */
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
  const items = [...archives.values()].map(({ tenant, ...archive }) => ({
    ...archive,
    schema: parseSchemaName(archive.schema),
    ...(tenant !== undefined && { slug: tenant, tenant }),
  }))
  return runFleet(parts, items, {
    options,
    together: false,
    work: async (archive, one) => {
      if (skipExisting && (await isThere(parts, archive))) return 'current'
      if (!(await isWhole(folder, archive))) throw notWhole(folder, archive)
      const file = join(folder, archive.file)
      if (archive.tenant === undefined) await restoreFixed(parts, file, one)
      else parts.lookUps.forgetTenant((await restoreTenant(parts, file, one)).tenant.slug)
      return 'done'
    },
  })
}

/** A schema without a tenant is there once it has had migrations: a restore commits them with the rows. */
async function isThere(
  { registry, db }: LifecycleParts,
  { tenant, schema }: RunSchema & Pick<ArchivedFile, 'tenant'>,
): Promise<boolean> {
  if (tenant !== undefined) return (await registry.findBySlug(db, parseSlug(tenant))) !== undefined
  const states = await readStates(db, [{ schema, migrations: [] }], true)
  return (states.get(schema)?.applied.length ?? 0) > 0
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
