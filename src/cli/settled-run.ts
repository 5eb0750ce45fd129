import { type RunReport, type TenantryError, isTenantryError } from 'tenantry'

/** How a run ended: its report, and the error if a schema failed. */
export interface SettledRun {
  readonly report: RunReport
  readonly failure?: TenantryError
}

/** Waits for a run and keeps its report also where schemas failed; other errors are thrown. */
export async function settleRun(run: Promise<RunReport>): Promise<SettledRun> {
  try {
    return { report: await run }
  } catch (error) {
    if (isTenantryError(error) && isReport(error.report)) {
      return { report: error.report, failure: error }
    }
    throw error
  }
}

/** Whether a run left nothing out; a run that was stopped skips schemas without failing. */
export function isComplete({ report }: SettledRun): boolean {
  return report.outcomes.every(({ status }) => status === 'done' || status === 'current')
}

/** Whether something that an error carries is the report of a run. */
export function isReport(input: unknown): input is RunReport {
  return typeof input === 'object' && input !== null && 'outcomes' in input
}
