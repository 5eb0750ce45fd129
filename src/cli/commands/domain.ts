import type { Domain, SchemaRouter } from 'tenantry'
import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { domainText } from '../render/domain.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** Flags of the commands for domains. */
export interface DomainFlags extends ConnectionFlags, OutputFlags {
  /** Only of `domain add`. */
  readonly unverified?: boolean
}

interface DomainChange {
  readonly name: string
  readonly description: string
  /** What has become of the domain. */
  readonly done: string
  readonly change: (
    router: SchemaRouter,
    [tenant, domain]: readonly [string, string],
    flags: DomainFlags,
  ) => Promise<Domain>
}

/** `tenantry domain add` */
export const defineDomainAdd: Define = (domain, settle) => {
  changing({
    name: 'add',
    description: 'lead a host name, or a path below one, to a tenant',
    done: 'added',
    change: (router, [tenant, host], { unverified = false }) =>
      router.tenants.domains.add(tenant, host, unverified ? { verified: false } : {}),
  })(domain, settle).option('--unverified', 'only claim it: it leads nowhere until it is verified')
}

/** `tenantry domain remove` */
export const defineDomainRemove: Define = changing({
  name: 'remove',
  description: 'take a domain from a tenant',
  done: 'removed',
  change: (router, [tenant, host]) => router.tenants.domains.remove(tenant, host),
})

/** `tenantry domain primary` */
export const defineDomainPrimary: Define = changing({
  name: 'primary',
  description: "make a domain its tenant's primary one",
  done: 'primary',
  change: (router, [tenant, host]) => router.tenants.domains.setPrimary(tenant, host),
})

/** `tenantry domain verify` */
export const defineDomainVerify: Define = changing({
  name: 'verify',
  description: "confirm that a domain is its tenant's, so that it leads there",
  done: 'verified',
  change: (router, [tenant, host]) => router.tenants.domains.verify(tenant, host),
})

/** `tenantry domain list` */
export const defineDomainList: Define = (domain, settle) => {
  domain
    .command('list')
    .description('list the domains of a tenant, the primary one first')
    .argument('<tenant>', 'the slug')
    .addOption(jsonOption())
    .action(async (tenant: string, _flags, command: Command) =>
      settle(await domainList(tenant, command.optsWithGlobals())),
    )
}

function changing(change: DomainChange): (...parts: Parameters<Define>) => Command {
  return (domain, settle) =>
    domain
      .command(change.name)
      .description(change.description)
      .argument('<tenant>', 'the slug')
      .argument('<domain>', 'for example acme.example.com or example.com/acme')
      .addOption(jsonOption())
      .action(async (tenant: string, host: string, _flags, command: Command) =>
        settle(await changeDomain(change, [tenant, host], command.optsWithGlobals())),
      )
}

async function changeDomain(
  { change, done }: DomainChange,
  names: readonly [string, string],
  flags: DomainFlags,
): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const domain = await change(router, names, flags)
    output.tell(`${domain.host}${domain.path}  ${output.colors.green(done)}  ${domain.tenant}`)
    if (flags.json) printJson(output, domain)
    return EXIT.fine
  })
}

async function domainList(tenant: string, flags: DomainFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    // A tenant without domains and no tenant at all must not look the same.
    await router.tenants.get(tenant)
    const domains = await router.tenants.domains.list(tenant)
    for (const domain of domains) output.tell(domainText(domain))
    if (flags.json) printJson(output, domains)
    return EXIT.fine
  })
}
