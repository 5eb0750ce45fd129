import type { SchemaRouter, Tenant } from 'tenantry'
import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { type ConnectionFlags, withRouter } from '../router.js'

interface StatusChange {
  readonly name: string
  readonly description: string
  /** What has become of the tenant. */
  readonly done: string
  readonly change: (router: SchemaRouter, slug: string) => Promise<Tenant>
}

/** `tenantry tenant suspend` */
export const defineTenantSuspend: Define = changing({
  name: 'suspend',
  description: 'stop serving a tenant; its data stay',
  done: 'suspended',
  change: (router, slug) => router.tenants.suspend(slug),
})

/** `tenantry tenant activate` */
export const defineTenantActivate: Define = changing({
  name: 'activate',
  description: 'serve a suspended tenant again, or one whose schema was made elsewhere',
  done: 'active',
  change: (router, slug) => router.tenants.activate(slug),
})

/** `tenantry tenant delete` */
export const defineTenantDelete: Define = changing({
  name: 'delete',
  description: 'stop serving a tenant for good; `undelete` brings it back until it is purged',
  done: 'deleted',
  change: (router, slug) => router.tenants.delete(slug),
})

/** `tenantry tenant undelete` */
export const defineTenantUndelete: Define = changing({
  name: 'undelete',
  description: 'serve a deleted tenant again, with the migrations that it has missed',
  done: 'undeleted',
  change: (router, slug) => router.tenants.undelete(slug),
})

/** Flags of the commands that change a tenant's status. */
export interface TenantStatusFlags extends ConnectionFlags, OutputFlags {}

function changing(change: StatusChange): Define {
  return (tenant, settle) => {
    tenant
      .command(change.name)
      .description(change.description)
      .argument('<slug>', 'the tenant')
      .addOption(jsonOption())
      .action(async (slug: string, _flags, command: Command) =>
        settle(await changeStatus(change, slug, command.optsWithGlobals())),
      )
  }
}

async function changeStatus(
  { change, done }: StatusChange,
  slug: string,
  flags: TenantStatusFlags,
): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const tenant = await change(router, slug)
    output.tell(`${tenant.schema}  ${output.colors.green(done)}`)
    if (flags.json) printJson(output, tenant)
    return EXIT.fine
  })
}
