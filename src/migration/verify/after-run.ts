import { TenantryError } from '../../errors.js'
import { firstFew } from '../../support/first-few.js'
import { listFleet } from '../layout.js'
import type { RunReport } from '../report.js'
import type { ReferenceParts } from './reference.js'
import { type VerifyFinding, verifySchemas } from './verify.js'

/**
 * Compares the schemas of a run that succeeded with what their migrations make: also those that had
 * nothing to do, or a second run would call fine what the first one found.
 *
 * @throws `SCHEMA_DRIFT` with the report
 */
export async function verifyAfterRun(parts: ReferenceParts, report: RunReport): Promise<RunReport> {
  const reached = new Set(
    report.outcomes
      .filter(({ status }) => status === 'done' || status === 'current')
      .map(({ schema }) => schema),
  )
  if (reached.size === 0) return report
  const fleet = await listFleet(parts.db, parts.layout, parts.registry)
  const schemas = fleet.filter(({ schema }) => reached.has(schema))
  const whole: RunReport = { ...report, verified: await verifySchemas(parts, schemas) }
  const { findings = [] } = whole.verified ?? {}
  if (findings.length === 0) return whole
  throw drifted(findings, whole)
}

function drifted(findings: readonly VerifyFinding[], report: RunReport): TenantryError {
  const { compared = 0 } = report.verified ?? {}
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
