import { resolve } from 'node:path'
import { TenantryError } from '../../errors.js'
import { firstFew } from '../../support/first-few.js'
import { BrokenArchive } from '../backup/archive-frame.js'
import { ARCHIVE_FORMAT, type FixedHeader } from '../backup/archive-record.js'
import { isError } from '../../support/is-error.js'

const NOTHING = 'Nothing was changed.'

/**
 * What a failure to read an archive means; anything else is passed on as it is.
 *
 * @param path That of the archive, where it has one: not every error of the system names it.
 */
export function explainArchive(error: unknown, path: string | undefined): unknown {
  if (error instanceof BrokenArchive) return invalid(`is broken: ${error.message}`, error)
  if (!isError(error) || !('code' in error)) return error
  switch (error.code) {
    case 'Z_DATA_ERROR':
      return invalid(`is broken, or no archive of tenants.backup(): ${error.message}`, error)
    case 'Z_BUF_ERROR':
      return invalid('is truncated: its end is missing', error)
    case 'ENOENT':
      return unreadable(
        error,
        path,
        'does not exist',
        'Look at the path, and at the folder it begins in',
      )
    case 'EACCES':
    case 'EPERM':
      return unreadable(error, path, 'may not be read', 'Let the user of this process read it')
    case 'EISDIR':
      return unreadable(
        error,
        path,
        'is a folder',
        'Name the file in it that tenants.backup() has written',
      )
    default:
      return error
  }
}

/** Nothing is known of the archive itself, so another copy of it would not help. */
function unreadable(
  cause: Error,
  path: string | undefined,
  what: string,
  advice: string,
): TenantryError {
  const file = path === undefined ? undefined : resolve(path)
  return new TenantryError(
    'ARCHIVE_INVALID',
    `The file ${file === undefined ? 'of the archive' : `"${file}"`} ${what}. ${NOTHING} ${advice}.`,
    { file, cause },
  )
}

function invalid(what: string, cause: unknown): TenantryError {
  return new TenantryError(
    'ARCHIVE_INVALID',
    `The archive ${what}. ${NOTHING} Take another copy of it; what pg_dump has written in its custom ` +
      'format is restored from the path of the file, and from no stream.',
    { cause },
  )
}

/** The error for the archive of a schema that is no tenant's, where that of a tenant is meant. */
export function ofNoTenant({ fixed }: FixedHeader): TenantryError {
  return new TenantryError(
    'ARCHIVE_INVALID',
    `The archive is of schema "${fixed.schema}", which belongs to no tenant. ${NOTHING} Restore the ` +
      'folder that it is in, by tenants.restoreAll() or `tenantry restore`.',
    { schema: fixed.schema },
  )
}

/** The error for an archive of a later version of the package. */
export function archiveNewer(format: unknown): TenantryError {
  return new TenantryError(
    'ARCHIVE_NEWER',
    `The archive has the form ${String(format)}, and this version of tenantry reads up to ` +
      `${ARCHIVE_FORMAT}. ${NOTHING} Restore it with the version that wrote it, or a later one.`,
  )
}

/** The error for a schema that did not become what was archived. */
export function restoreDiffers(
  { tenant, schema }: { readonly tenant?: string | undefined; readonly schema: string },
  what: string,
  differences: readonly string[],
): TenantryError {
  const name = tenant === undefined ? `Schema "${schema}"` : `Tenant "${tenant}"`
  return new TenantryError(
    'RESTORE_DIFFERS',
    `${name} was not restored, because ${what}: ${firstFew(differences, '; ')}. Everything ` +
      'was rolled back. Look for migrations and generated columns whose functions do not give the ' +
      'same for the same, and for what hooks do before the migrations.',
    { tenant, schema, candidates: differences },
  )
}
