import type { Command } from 'commander'
import { askText, canAsk } from '../ask.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { usageError } from '../usage-error.js'

/** `tenantry tenant purge` */
export const defineTenantPurge: Define = (tenant, settle) => {
  tenant
    .command('purge')
    .description('drop the schema of a deleted tenant, and forget it; there is no way back')
    .argument('<slug>', 'the tenant')
    .option('--confirm <slug>', 'the slug once more; without it, a person is asked for it')
    .addOption(jsonOption())
    .action(async (slug: string, _flags, command: Command) =>
      settle(await tenantPurge(slug, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant purge`. */
export interface TenantPurgeFlags extends ConnectionFlags, OutputFlags {
  readonly confirm?: string
}

/** Drops a deleted tenant's data for good, after its slug was given twice. */
async function tenantPurge(slug: string, flags: TenantPurgeFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const confirm = flags.confirm ?? (await askForSlug(slug))
  if (confirm !== slug) {
    throw usageError('confirm', `That is not the slug "${slug}", so nothing was dropped.`)
  }
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const tenant = await router.tenants.purge(slug, { confirm })
    output.tell(`${tenant.schema}  ${output.colors.green('purged')}`)
    if (flags.json) printJson(output, tenant)
    return EXIT.fine
  })
}

function askForSlug(slug: string): Promise<string> {
  if (canAsk()) return askText(`All data of "${slug}" will be gone. Type its slug to go on`)
  throw usageError(
    'confirm',
    `A purge drops all data of tenant "${slug}". Confirm that with --confirm ${slug}.`,
  )
}
