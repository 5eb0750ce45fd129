import { TenantryError } from '../errors.js'
import { pathOf } from '../migration/layout.js'
import { tenantNotFound } from '../lifecycle/not-found.js'
import { type SchemaName, parseSchemaName } from '../names/schema-name.js'
import type { Database } from '../postgres/database.js'
import { type SchemaIdentity, preludeOf } from '../postgres/statement/prelude.js'
import type { LookUps } from '../registry/look-ups.js'
import { schemaOidOf } from '../registry/schema-oid.js'
import { type Tenant, type TenantOrSlug, typed } from '../registry/tenant.js'
import type { Scope } from '../scope/context.js'
import type { FleetSchema, SchemaKind } from '../selector/selector.js'
import type { ResolvedOptions } from './options.js'
import { notServed } from './refusal.js'

/** What scopes are made of. */
export interface ScopesParts extends Pick<ResolvedOptions, 'layout' | 'settingsOf'> {
  readonly db: Database
  readonly lookUps: LookUps
}

/** The scopes of a router's schemas. */
export class Scopes {
  readonly #parts: ScopesParts
  /** A scope is made once for each tenant that the registry has handed out. */
  readonly #known = new WeakMap<Tenant, Scope>()

  constructor(parts: ScopesParts) {
    this.#parts = parts
  }

  /**
   * The scope of a tenant. A slug stands for whoever has it now; a tenant that was handed around
   * may be stale, so the registry's word on it counts, but it never stands for another one.
   *
   * @throws `TENANT_NOT_FOUND`, `TENANT_SUSPENDED`
   */
  of(tenant: TenantOrSlug): Scope | Promise<Scope> {
    const { slug, id } = typeof tenant === 'string' ? { slug: tenant, id: undefined } : tenant
    const known = this.#parts.lookUps.peek(slug)
    if (known === undefined) return this.#lookUp(slug, id)
    if (id === undefined || known.id === id) return this.#ofTenant(known)
    // Either may be out of date.
    this.#parts.lookUps.forgetTenant(slug)
    return this.#lookUp(slug, id)
  }

  async #lookUp(slug: string, id: string | undefined): Promise<Scope> {
    const { db, lookUps } = this.#parts
    const found = (await db.attend(() => lookUps.find(slug))) ?? tenantNotFound(slug)
    if (id !== undefined && found.id !== id) throw passedOn(slug)
    return this.#ofTenant(typed(found))
  }

  #ofTenant(tenant: Tenant): Scope {
    if (tenant.status !== 'active') throw notServed(tenant)
    const known = this.#known.get(tenant)
    if (known !== undefined) return known
    const schema = parseSchemaName(tenant.schema)
    const scope = this.make({ schema, kind: 'tenant', tenant })
    this.#known.set(tenant, scope)
    return scope
  }

  /** The scope of a schema; that of a tenant's is bound to the schema that the tenant had when it was read. */
  make({ schema, kind, tenant }: ScopedSchema): Scope {
    const { layout, settingsOf } = this.#parts
    const settings = settingsOf?.({ schema, kind, tenant })
    const identity = tenant && this.#identityOf(tenant)
    const prelude = preludeOf(schema, pathOf(layout, schema, kind), { settings, identity })
    return { schema, prelude, ...(tenant && { tenant }) }
  }

  #identityOf(tenant: Tenant): SchemaIdentity | undefined {
    const oid = schemaOidOf(tenant)
    if (oid === undefined) return undefined
    return { oid, onReplaced: () => this.#parts.lookUps.forgetTenant(tenant.slug) }
  }
}

interface ScopedSchema extends Pick<FleetSchema, 'tenant'> {
  readonly schema: SchemaName
  readonly kind: SchemaKind
}

function passedOn(slug: string): TenantryError {
  return new TenantryError(
    'TENANT_NOT_FOUND',
    `The slug "${slug}" belongs to another tenant by now. The tenant that was given has been renamed ` +
      'or purged: look it up again.',
    { tenant: slug },
  )
}
