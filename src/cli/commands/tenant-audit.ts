import { EXIT, type ExitCode } from '../exit-code.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { auditLines } from '../render/audit.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** Flags of `tenantry tenant audit`. */
export interface TenantAuditFlags extends ConnectionFlags, OutputFlags {}

/** Compares the registry with the schemas of the database. Touches nothing. */
export async function tenantAudit(flags: TenantAuditFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const report = await router.tenants.audit()
    for (const line of auditLines(report, output.colors)) output.tell(line)
    if (flags.json) printJson(output, report)
    return report.findings.length > 0 ? EXIT.pending : EXIT.fine
  })
}
