import { TenantryError } from '../../errors.js'
import { firstFew } from '../../support/first-few.js'
import type { GoalResult } from '../run/goal-run.js'
import { listFleet } from '../layout.js'
import type { RunReport } from '../run/report.js'
import type { ReferenceParts } from './reference.js'
import { type VerifyReport, verifySchemas } from './verify.js'

/**
 * Compares the schemas of a run that succeeded with what their migrations make: also those that had
 * nothing to do, or a second run would call fine what the first one found.
 *
 * @throws `SCHEMA_DRIFT` with the report
 */
export async function verifyAfterRun(
  parts: ReferenceParts,
  { report, schemas: run }: GoalResult,
): Promise<RunReport> {
  const reached = new Set(
    report.outcomes
      .filter(({ status }) => status === 'done' || status === 'current')
      .map(({ schema }) => schema),
  )
  if (reached.size === 0) return report
  const schemas = run.filter(({ schema }) => reached.has(schema))
  const verified = await withoutGone(parts, await verifySchemas(parts, schemas))
  const whole: RunReport = { ...report, verified }
  if (verified.findings.length === 0) return whole
  throw drifted(verified, whole)
}

/** A tenant may have been purged or renamed since the run has listed it. */
async function withoutGone(parts: ReferenceParts, found: VerifyReport): Promise<VerifyReport> {
  if (!found.findings.some(({ code }) => code === 'SCHEMA_MISSING')) return found
  const fleet = await listFleet(parts.db, parts.layout, parts.registry)
  const there = new Set<string>(fleet.map(({ schema }) => schema))
  return { ...found, findings: found.findings.filter(({ schema }) => there.has(schema)) }
}

function drifted({ findings, compared }: VerifyReport, report: RunReport): TenantryError {
  const broken = findings.filter(({ error }) => error !== undefined)
  const lines = findings.map(
    ({ schema, error, differences }) => `${schema}: ${error?.message ?? differences[0] ?? ''}`,
  )
  return new TenantryError(
    'SCHEMA_DRIFT',
    `${findings.length} of ${compared + broken.length} schemas are not what their migrations make, ` +
      'although the run has succeeded and stays done. Look at what differs, and write a migration ' +
      'that sets it right.\n' +
      `  ${firstFew(lines, '\n  ')}`,
    { report, cause: broken[0]?.error },
  )
}
