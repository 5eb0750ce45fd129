import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant clone` */
export const defineTenantClone: Define = (tenant, settle) => {
  tenant
    .command('clone')
    .description('make a tenant like another one, with its rows')
    .argument('<from>', 'the tenant that is copied')
    .argument('<slug>', 'the slug of the new tenant')
    .option('--name <name>', 'the name for people (default: the slug)')
    .option('--domain <host...>', 'host names that lead to the new tenant, the primary one first')
    .option('--tables <table...>', 'copy the rows of these tables only')
    .option('--no-data', 'copy no rows')
    .addOption(jsonOption())
    .action(async (from: string, slug: string, _flags, command: Command) =>
      settle(await tenantClone([from, slug], command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant clone`. */
export interface TenantCloneFlags extends ConnectionFlags, OutputFlags {
  readonly name?: string
  readonly domain?: readonly string[]
  readonly tables?: readonly string[]
  readonly data: boolean
}

/** Makes a tenant like another one. */
async function tenantClone(
  [from, slug]: readonly [string, string],
  flags: TenantCloneFlags,
): Promise<ExitCode> {
  const output = openOutput(flags)
  const { name, domain: domains = [], tables, data } = flags
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const began = performance.now()
    const tenant = await router.tenants.clone(
      from,
      { slug, domains, ...(name !== undefined && { name }) },
      { data: data ? (tables ?? true) : false },
    )
    const took = durationText(performance.now() - began)
    output.tell(`${tenant.schema}  ${output.colors.green('cloned')}  from ${from}  ${took}`)
    if (flags.json) printJson(output, tenant)
    return EXIT.fine
  })
}
