import { TenantryError } from '../../errors.js'
import type { Slug } from '../../names/slug.js'
import type { ProgramFailed } from './program.js'

/** The error for a program of PostgreSQL's that is not there. */
export function programMissing(program: string, cause: unknown): TenantryError {
  return new TenantryError(
    'PG_DUMP_UNFIT',
    `The program "${program}" cannot be run. Install PostgreSQL's client programs of the server's ` +
      'major version, or name the program by the option "pgDump" or "pgRestore". A backup can be ' +
      "made without them by { engine: 'built-in' }.",
    { cause },
  )
}

/** The error for a program that is older than the server. */
export function dumpTooOld(program: string, version: number, server: number): TenantryError {
  return new TenantryError(
    'PG_DUMP_UNFIT',
    `The program "${program}" is of PostgreSQL ${version} and the server of PostgreSQL ${server}, ` +
      `which it cannot read. Install the client programs of PostgreSQL ${server} or later, or use ` +
      "{ engine: 'built-in' }. Nothing was written.",
  )
}

/** The error for an archive that is of a later form than the program knows. */
export function restoreTooOld(program: string, version: number, cause: unknown): TenantryError {
  return new TenantryError(
    'PG_DUMP_UNFIT',
    `The program "${program}" is of PostgreSQL ${version}, and the archive was written by a later ` +
      'one. Nothing was changed. Install client programs at least as new as the pg_dump that wrote it.',
    { cause },
  )
}

/** The error for a dump that came to nothing. */
export function dumpFailed(tenant: Slug, failure: ProgramFailed): TenantryError {
  return new TenantryError(
    'PG_DUMP_FAILED',
    `Tenant "${tenant}" was not backed up: ${failure.message}. Nothing was written. Read what it ` +
      'says: a full disk, a right that the role does not have and a lock by somebody else are the ' +
      'usual reasons.',
    { tenant, log: failure.said, cause: failure },
  )
}
