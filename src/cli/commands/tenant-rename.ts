import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant rename` */
export const defineTenantRename: Define = (tenant, settle) => {
  tenant
    .command('rename')
    .description('give a tenant a new slug, its schema a new name, or both')
    .argument('<slug>', 'the tenant')
    .argument('[new-slug]', 'its new slug; the schema keeps its name without --new-schema')
    .option('--new-schema <name>', 'the new name of its schema')
    .option('--force', "rename the schema although its former name stands in functions' texts")
    .addOption(jsonOption())
    .action(async (slug: string, newSlug: string | undefined, _flags, command: Command) =>
      settle(await tenantRename([slug, newSlug], command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant rename`. */
export interface TenantRenameFlags extends ConnectionFlags, OutputFlags {
  readonly newSchema?: string
  readonly force?: boolean
}

/** Gives a tenant a new slug, its schema a new name, or both. */
async function tenantRename(
  [slug, newSlug]: readonly [string, string | undefined],
  flags: TenantRenameFlags,
): Promise<ExitCode> {
  const output = openOutput(flags)
  const { newSchema, force = false } = flags
  // A rename waits for the scopes of a tenant on one client and renames on another.
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const names = {
      ...(newSlug !== undefined && { slug: newSlug }),
      ...(newSchema !== undefined && { schema: newSchema }),
    }
    const tenant = await router.tenants.rename(slug, names, { force })
    const what = `${slug} is now ${tenant.slug}, in schema ${tenant.schema}`
    output.tell(`${output.colors.green('renamed')}  ${what}`)
    if (flags.json) printJson(output, tenant)
    return EXIT.fine
  })
}
