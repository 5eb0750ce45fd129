import { EXIT, type ExitCode } from '../exit-code.js'
import { openOutput } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** Flags of `tenantry tenant create`. */
export interface TenantCreateFlags extends ConnectionFlags {
  readonly name?: string
  readonly domain?: readonly string[]
}

/** Creates a tenant with its domains, its schema and all migrations, in one transaction. */
export async function tenantCreate(slug: string, flags: TenantCreateFlags): Promise<ExitCode> {
  const output = openOutput({})
  const { name, domain: domains = [] } = flags
  return withRouter(flags, { output }, async (router) => {
    const began = performance.now()
    const tenant = await router.tenants.create({ slug, domains, ...(name && { name }) })
    const took = durationText(performance.now() - began)
    const hosts = domains.length > 0 ? `  ${domains.join(' ')}` : ''
    output.tell(`${tenant.schema}  ${output.colors.green('created')}${hosts}  ${took}`)
    return EXIT.fine
  })
}
