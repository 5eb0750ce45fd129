import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { auditLines } from '../render/audit.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant audit` */
export const defineTenantAudit: Define = (tenant, settle) => {
  tenant
    .command('audit')
    .description('find schemas without a tenant and the like; exit code 3 when there is one')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) =>
      settle(await tenantAudit(command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant audit`. */
interface TenantAuditFlags extends ConnectionFlags, OutputFlags {}

/** Compares the registry with the schemas of the database. Touches nothing. */
async function tenantAudit(flags: TenantAuditFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const report = await router.tenants.audit()
    for (const line of auditLines(report, output.colors)) output.tell(line)
    if (flags.json) printJson(output, report)
    return report.findings.length > 0 ? EXIT.pending : EXIT.fine
  })
}
