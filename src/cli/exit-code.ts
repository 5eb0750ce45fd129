import { type ErrorCode, isTenantryError } from 'tenantry'
import { CommanderError } from 'commander'

/** What the exit code of the CLI says. */
export const EXIT = {
  fine: 0,
  failed: 1,
  /** Wrong usage: an unknown flag, a selector that names nothing, an invalid configuration. */
  usage: 2,
  /**
   * From `status`: something is to be migrated; from `verify`, also of `migrate`: a schema differs;
   * from `tenant audit`: there is a finding.
   */
  pending: 3,
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
  return USAGE_CODES.some((code) => isTenantryError(error, code)) ? EXIT.usage : EXIT.failed
}
