import { TenantryError } from '../../errors.js'
import type { ErrorCode } from '../../errors.js'
import type { SchemaKind } from '../../selector/selector.js'
import { firstFew } from '../../support/first-few.js'
import type { LintFinding } from '../lint/lint.js'
import type { VerifyReport } from '../verify/verify.js'
import { present } from '../../support/present.js'

/** What became of one schema in a run. */
export interface SchemaOutcome {
  readonly schema: string
  readonly kind: SchemaKind
  /** Slug of the tenant that owns the schema. */
  readonly tenant?: string
  /** It is kept ready for a tenant that is still to come. */
  readonly spare?: true
  /**
   * `done`: changed, or visited without an error; `current`: nothing was to be done;
   * `failed`: as before, but for what is in `applied`; `skipped`: not begun, for the reason in `reason`.
   */
  readonly status: 'done' | 'current' | 'failed' | 'skipped'
  /** File names of the migrations that ran and stay, also those taken back by `down`. */
  readonly applied: readonly string[]
  /** The migrations of this schema were more than one transaction. */
  readonly atomic?: false
  /** Those of `applied` that ran outside of a transaction, statement by statement. */
  readonly notAtomic?: readonly string[]
  /** How often the work on this schema was begun. */
  readonly attempts: number
  readonly durationMs: number
  readonly error?: Error
  readonly reason?: string
}

/** What a run did, schema by schema. */
export interface RunReport {
  readonly outcomes: readonly SchemaOutcome[]
  readonly durationMs: number
  /** How the schemas compare with what their migrations make, where that was asked for. */
  readonly verified?: VerifyReport
}

/** What happens during a run, as it happens. */
export type RunEvent =
  /** So many schemas come now; a run in several parts says it of each part. */
  | { readonly type: 'selected'; readonly schemas: number }
  /** The linter has something to say on a migration that is about to run: an error or a warning. */
  | { readonly type: 'finding'; readonly finding: LintFinding }
  /** The migrations were not linted, because the parser is not installed. */
  | { readonly type: 'unchecked'; readonly error: Error }
  | { readonly type: 'started'; readonly schema: string; readonly attempt: number }
  | {
      readonly type: 'retried'
      readonly schema: string
      /** The attempt that failed. */
      readonly attempt: number
      readonly error: Error
      /** How long the run waits before the next attempt. */
      readonly waitMs: number
    }
  | { readonly type: 'finished'; readonly schema: string; readonly outcome: SchemaOutcome }

/** Two runs as one. */
export function joinReports(one: RunReport, other: RunReport): RunReport {
  return {
    outcomes: [...one.outcomes, ...other.outcomes],
    durationMs: one.durationMs + other.durationMs,
  }
}

/** How many schemas of a report have each status. */
export function countOutcomes(
  report: RunReport,
): Readonly<Record<SchemaOutcome['status'], number>> {
  const counts = { done: 0, current: 0, failed: 0, skipped: 0 }
  for (const { status } of report.outcomes) counts[status] += 1
  return counts
}

/** How a run with a limit gets on: nothing but its order says which schemas it takes. */
export function adviceOnLimit({ outcomes }: RunReport): string {
  const failed = outcomes.flatMap(({ status, tenant }) =>
    status === 'failed' ? (tenant ?? []) : [],
  )
  if (failed.length === 0) return ''
  return (
    ' With a limit the next run begins with the same tenants: to get on with the others before ' +
    `these are set right, leave ${firstFew(failed, ', ')} out by "exclude", or by -x.`
  )
}

/**
 * Returns a report in which nothing failed.
 *
 * @param advice What else to do then.
 * @throws the given code with the report, when something did.
 */
export function requireSuccess(code: ErrorCode, report: RunReport, advice = ''): RunReport {
  const { failed, skipped, done, current } = countOutcomes(report)
  if (failed === 0) return report
  const failures = report.outcomes.filter(({ status }) => status === 'failed')
  throw new TenantryError(
    code,
    `${failed} of ${report.outcomes.length} schemas failed (${done + current} are fine, ` +
      `${skipped} were skipped). Correct what failed and run it again; what is done stays done.${advice}\n` +
      `  ${firstFew(failures.map(named), '\n  ')}`,
    { report, cause: failures[0]?.error },
  )
}

function named({ schema, error }: SchemaOutcome): string {
  return `${schema}: ${present(error).message}`
}
