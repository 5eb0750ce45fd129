import { type ErrorCode, isTenantryError } from 'tenantry'
import { CommanderError } from 'commander'
import { isReport } from './settled-run.js'

/** What the exit code of the CLI says. */
export const EXIT = {
  fine: 0,
  failed: 1,
  /** Wrong usage: an unknown flag, a selector that names nothing, an invalid configuration. */
  usage: 2,
  /** Something is to be migrated, a schema differs from its migrations, or an audit finds something. */
  pending: 3,
  /** Others held the locks that the command waited for; it can be tried again. */
  locked: 4,
} as const

/** One of the codes of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const USAGE_CODES: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'NAME_INVALID',
  'OPTIONS_INVALID',
  'SELECTOR_AMBIGUOUS',
  'SELECTOR_UNKNOWN',
]

/** The exit code of a command that ended with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  // Commander throws for `--help` and `--version` as well, with the code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage
  if (isTenantryError(error, 'SCHEMA_DRIFT')) return EXIT.pending
  if (isLocked(error)) return EXIT.locked
  return USAGE_CODES.some((code) => isTenantryError(error, code)) ? EXIT.usage : EXIT.failed
}

/** SQLSTATE of a lock that was waited for as long as `lock_timeout` allows. */
const LOCK_NOT_AVAILABLE = '55P03'

/** Whether locks are all that a command failed of; a run, only where they failed each schema. */
function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (isTenantryError(error) && isReport(error.report)) {
    const failures = error.report.outcomes.filter(({ status }) => status === 'failed')
    return failures.length > 0 && failures.every((failure) => isLocked(failure.error))
  }
  if (isTenantryError(error, 'TENANT_BUSY') || isTenantryError(error, 'BACKUP_BUSY')) return true
  const sqlState = isTenantryError(error)
    ? error.sqlState
    : 'code' in error
      ? error.code
      : undefined
  return sqlState === LOCK_NOT_AVAILABLE
}
