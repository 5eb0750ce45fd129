import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant create` */
export const defineTenantCreate: Define = (tenant, settle) => {
  tenant
    .command('create')
    .description('create a tenant with its schema and all migrations')
    .argument('<slug>', 'the stable key, for example acme')
    .option('--name <name>', 'the name for people (default: the slug)')
    .option('--domain <host...>', 'host names that lead to the tenant, the primary one first')
    .addOption(jsonOption())
    .action(async (slug: string, _flags, command: Command) =>
      settle(await tenantCreate(slug, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant create`. */
export interface TenantCreateFlags extends ConnectionFlags, OutputFlags {
  readonly name?: string
  readonly domain?: readonly string[]
}

/** Creates a tenant with its domains, its schema and all migrations, in one transaction. */
async function tenantCreate(slug: string, flags: TenantCreateFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { name, domain: domains = [] } = flags
  return withRouter(flags, { output }, async (router) => {
    const began = performance.now()
    const tenant = await router.tenants.create({ slug, domains, ...(name && { name }) })
    const took = durationText(performance.now() - began)
    const hosts = domains.length > 0 ? `  ${domains.join(' ')}` : ''
    output.tell(`${tenant.schema}  ${output.colors.green('created')}${hosts}  ${took}`)
    if (flags.json) printJson(output, tenant)
    return EXIT.fine
  })
}
