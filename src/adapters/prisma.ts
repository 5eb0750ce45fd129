/**
 * Prisma in the tenant of the scope.
 *
 * @module tenantry/prisma
 */

import type { TenantryError } from '../errors.js'
import type { TenantPool } from '../scope/tenant-pool.js'
import { optionInvalid, refuseUnknown, wholeNumber } from '../support/options.js'
import { nameRule } from './orm/name-rule.js'
import { isCallable, property } from './orm/property.js'

const DEFAULT_MAX = 100

/** What the adapter needs of a router. */
export interface TenantSource {
  /** The ambient tenant. */
  current(): { readonly slug: string; readonly schema: string }
  /** The pool of one tenant. */
  poolFor(slug: string): TenantPool
}

/** How {@link tenantPrisma} keeps clients. */
export interface TenantPrismaOptions {
  /**
   * How many clients are kept, those of the tenants that were asked for last. They share the pool of the
   * router; a client costs memory, and a connection no more than a query does.
   *
   * @defaultValue `100`
   */
  readonly max?: number
  /**
   * Schemas that models may name with `@@schema`, because all tenants share them.
   *
   * @defaultValue `[]`
   */
  readonly schemas?: readonly string[]
}

/**
 * Makes the client of one tenant. Prisma's adapter has a copy of pg's types that is older than yours, to
 * which no pool of yours is one, so the type of this one fits everywhere; it is a `TenantPool`.
 */
export type MakeClient<C> = (pool: never, schema: string) => C

/** The Prisma clients of tenants. */
export interface TenantPrisma<C> {
  /**
   * The client of the ambient tenant. Ask for it again in each request.
   *
   * @throws `TENANT_NO_SCOPE`, `SCOPE_BYPASSED`
   */
  readonly current: C
  /** Disconnects all clients; the pool stays open. */
  close(): Promise<void>
}

/**
 * Keeps a light Prisma client for each tenant, over the one pool of the router.
 *
 * Prisma writes `"schema"."table"` into each statement, so the schema has to be known when a client is
 * made; and it puts look-ups of one moment together into one statement, so tenants cannot share a
 * client. Each client's queries go through `router.poolFor(tenant)` and answer for its tenant, whatever
 * is ambient. A client that is not kept any more works to the end of what uses it.
 *
 * @param router The router.
 * @param make Makes a client from a tenant's pool and the name of its schema.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`; models with `@@schema` are refused with `SCOPE_BYPASSED`
 * when the first client is made
 * @example
 * import { PrismaPg } from '@prisma/adapter-pg'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantPrisma } from 'tenantry/prisma'
 * import { PrismaClient } from './generated/client.js'
 *
 * async function itemsOf(router: SchemaRouter, slug: string): Promise<string[]> {
 *   const prisma = tenantPrisma(router, (pool, schema) => {
 *     return new PrismaClient({ adapter: new PrismaPg(pool, { schema }) })
 *   })
 *   const loans = await router.runAs(slug, () => prisma.current.loan.findMany())
 *   return loans.map(({ item }) => item)
 * }
 */
export function tenantPrisma<C extends object>(
  router: TenantSource,
  make: MakeClient<C>,
  options: TenantPrismaOptions = {},
): TenantPrisma<C> {
  return new Clients(router, make, options)
}

/** The clients that were asked for last, in that order. */
class Clients<C extends object> implements TenantPrisma<C> {
  readonly #router: TenantSource
  readonly #make: MakeClient<C>
  readonly #max: number
  readonly #rule: ReturnType<typeof nameRule>
  readonly #known = new Map<string, C>()

  constructor(router: TenantSource, make: MakeClient<C>, options: TenantPrismaOptions) {
    refuseUnknown('', options, ['max', 'schemas'])
    const { max = DEFAULT_MAX, schemas = [] } = options
    this.#router = router
    this.#make = make
    this.#max = wholeNumber('max', max, 1)
    this.#rule = nameRule({ schemas })
  }

  get current(): C {
    const { slug, schema } = this.#router.current()
    const key = `${slug}/${schema}`
    const client = this.#known.get(key) ?? this.#open(slug, schema)
    this.#known.delete(key)
    this.#known.set(key, client)
    // One that is forgotten may be in use. It holds nothing that has to be given back.
    for (const [oldest] of this.#known) {
      if (this.#known.size <= this.#max) break
      this.#known.delete(oldest)
    }
    return client
  }

  #open(slug: string, schema: string): C {
    const pool = withoutListeners(this.#router.poolFor(slug))
    const client = this.#make(pool as never, schema)
    const config = property(client, '_engineConfig')
    const adapter = property(config, 'adapter')
    // Another copy of pg takes the pool for the settings of a pool that it should make itself.
    const isScoped = property(adapter, 'externalPool') === pool
    if (!isScoped || property(property(adapter, 'options'), 'schema') !== schema)
      throw makeInvalid()
    const text = property(config, 'inlineSchema')
    for (const [, name] of String(text).matchAll(/^\s*@@schema\("([^"]*)"\)/gm)) {
      this.#rule(name, 'model with @@schema')
    }
    return client
  }

  async close(): Promise<void> {
    const clients = [...this.#known.values()]
    this.#known.clear()
    await Promise.all(clients.map(disconnect))
  }
}

function makeInvalid(): TenantryError {
  return optionInvalid(
    'make',
    'Return new PrismaClient({ adapter: new PrismaPg(pool, { schema }) }). If that is what you do, ' +
      'there are two copies of pg: npm ls pg has to show one, for tenantry and @prisma/adapter-pg.',
  )
}

async function disconnect(client: object): Promise<void> {
  const end = property(client, '$disconnect')
  if (isCallable(end)) await Reflect.apply(end, client, [])
}

const LISTENING: ReadonlySet<string | symbol> = new Set([
  'on',
  'once',
  'off',
  'addListener',
  'removeListener',
])

/**
 * Each client would add a listener to the pool that all share, and keep itself alive by it. What is
 * asked of the view is asked of the pool, which counts as its class as well.
 */
function withoutListeners(pool: TenantPool): TenantPool {
  const view = Object.create(pool) as TenantPool
  const quiet: TenantPool = new Proxy(view, {
    get: (_, key) => (LISTENING.has(key) ? () => quiet : Reflect.get(pool, key)),
  })
  return quiet
}
