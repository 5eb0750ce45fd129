import type { Domain, SchemaStatus, Tenant } from 'tenantry'
import { type SchemaRouter, select } from 'tenantry'
import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { domainText } from '../render/domain.js'
import { statusJson, statusText } from '../render/status.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry tenant show` */
export const defineTenantShow: Define = (tenant, settle) => {
  tenant
    .command('show')
    .description('show a tenant, its domains, its metadata and the state of its schema')
    .argument('<slug>', 'the tenant, of any status')
    .addOption(jsonOption())
    .action(async (slug: string, _flags, command: Command) =>
      settle(await tenantShow(slug, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry tenant show`. */
export interface TenantShowFlags extends ConnectionFlags, OutputFlags {}

/** Shows all that is known of a tenant. */
async function tenantShow(slug: string, flags: TenantShowFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const tenant = await router.tenants.get(slug)
    const domains = await router.tenants.domains.list(slug)
    const state = await stateOf(router, tenant)
    for (const [label, text] of linesOf(tenant, domains, state)) {
      output.tell(`${output.colors.dim(label.padEnd(LABEL_WIDTH))}  ${text}`)
    }
    if (flags.json) {
      const [migrations] = state === undefined ? [] : statusJson([state])
      printJson(output, { ...tenant, domains, ...(migrations && { migrations }) })
    }
    return EXIT.fine
  })
}

/** Deleted tenants are in no run, so nothing is said of their migrations. */
async function stateOf(
  router: SchemaRouter,
  { schema, status }: Tenant,
): Promise<SchemaStatus | undefined> {
  if (status === 'deleted') return undefined
  const [state] = await router.migrations.status({ select: select.names(schema) })
  return state
}

const LABEL_WIDTH = 'migrations'.length

function linesOf(
  tenant: Tenant,
  domains: readonly Domain[],
  state: SchemaStatus | undefined,
): readonly (readonly [label: string, text: string])[] {
  const { id, slug, name, schema, status, metadata, createdAt } = tenant
  return [
    ['slug', slug],
    ['name', name],
    ['schema', schema],
    ['status', status],
    ['id', id],
    ['created', createdAt.toISOString()],
    ['metadata', JSON.stringify(metadata)],
    ...domains.map((domain) => ['domain', domainText(domain)] as const),
    ...(state ? [['migrations', `version ${state.version}, ${statusText(state)}`] as const] : []),
  ]
}
