import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { countText } from '../render/count.js'
import { tableLines } from '../render/table.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant list` */
export const defineTenantList: Define = (tenant, settle) => {
  tenant
    .command('list')
    .description('list the tenants')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await tenantList(command.optsWithGlobals())))
}

/** Flags of `tenantry tenant list`. */
export interface TenantListFlags extends ConnectionFlags, OutputFlags {}

/** Lists the tenants in the order of their schemas. */
async function tenantList(flags: TenantListFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const tenants = await router.tenants.list()
    const rows = tenants.map(({ slug, schema, status, name }) => [slug, schema, status, name])
    const lines = tableLines([['slug', 'schema', 'status', 'name'], ...rows], output.colors)
    for (const line of lines) output.tell(line)
    output.tell(countText(tenants.length, 'tenant'))
    if (flags.json) printJson(output, tenants)
    return EXIT.fine
  })
}
