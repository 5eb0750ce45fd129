import type { AuditFinding, AuditReport } from 'tenantry'
import type { Colors } from '../output.js'
import { countText } from './count.js'

/** What an audit found and how it is repaired, with a summary. */
export function auditLines(report: AuditReport, colors: Colors): readonly string[] {
  const { findings, tenants, schemas } = report
  const looked = `${countText(tenants, 'tenant')} and ${countText(schemas, 'schema')}`
  return [
    ...findings.flatMap((finding) => findingLines(finding, colors)),
    `${looked}: ${countText(findings.length, 'finding')}`,
  ]
}

function findingLines({ kind, message, repair }: AuditFinding, colors: Colors): readonly string[] {
  return [`${colors.yellow(kind)} ${message}`, `  ${repair}`]
}
