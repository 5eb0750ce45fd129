import { AsyncLocalStorage } from 'node:async_hooks'
import type { ScopeMessage } from '../diagnostics/channels.js'
import { TenantryError } from '../errors.js'
import type { Prelude } from '../postgres/statement/prelude.js'
import type { SchemaName } from '../names/schema-name.js'
import type { Tenant } from '../registry/tenant.js'

/** What a piece of code runs as: a schema, and the tenant that owns it if it is a tenant's. */
export interface Scope {
  readonly schema: SchemaName
  readonly prelude: Prelude
  readonly tenant?: Tenant
}

const KEY = Symbol.for('tenantry.context')

type GlobalWithContext = typeof globalThis & { [KEY]?: AsyncLocalStorage<Scope> }

/**
 * The one store of the process. ESM and CommonJS copies of the package share it, because it lives
 * on `globalThis` under a registered symbol.
 */
function store(): AsyncLocalStorage<Scope> {
  const holder: GlobalWithContext = globalThis
  return (holder[KEY] ??= new AsyncLocalStorage<Scope>())
}

/** Runs `fn` as `scope`; what it awaits and calls back runs as it, too. */
export function runInScope<R>(scope: Scope, fn: () => R): R {
  return store().run(scope, fn)
}

/** The scope of the running code, if it has one. */
export function tryCurrentScope(): Scope | undefined {
  return store().getStore()
}

/**
 * The scope of the running code.
 *
 * @throws `TENANT_NO_SCOPE`
 */
export function currentScope(): Scope {
  return store().getStore() ?? noScope()
}

/** There is no fallback to a shared schema: a query without a tenant is a bug. */
export function noScope(): never {
  throw new TenantryError(
    'TENANT_NO_SCOPE',
    'No tenant is in scope here. Wrap the code in router.withTenant(tenant, fn) or ' +
      'router.runAs(tenant, fn), or name the tenant with router.poolFor(tenant).',
  )
}

/** What is told of a scope to those who listen. */
export function messageOf({ schema, tenant }: Scope, form: ScopeMessage['form']): ScopeMessage {
  return { schema, tenant, form }
}
