import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { type ErrorCode, isTenantryError } from '../../errors.js'
import { parseHost } from '../../names/domain-name.js'
import { parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import type { NewDomain, NewTenant, TenantRegistry } from '../../registry/registry.js'
import type { Tenant } from '../../registry/tenant.js'

/** One thing that is expected of a registry; it throws where the registry does otherwise. */
export type Check = (place: CheckPlace) => Promise<void>

/** Where a check runs, and names that nobody else has. */
export class CheckPlace {
  readonly registry: TenantRegistry
  readonly pool: Pool
  readonly #unique = randomBytes(4).toString('hex')
  readonly #slugs = new Set<Slug>()

  constructor({ registry, pool }: Pick<CheckPlace, 'registry' | 'pool'>) {
    this.registry = registry
    this.pool = pool
  }

  /** A slug of this check; it is removed at its end. */
  slug(name: string): Slug {
    const slug = parseSlug(`${name}-${this.#unique}`)
    this.#slugs.add(slug)
    return slug
  }

  /** A tenant that is about to be created. */
  order(name: string, more: Partial<NewTenant> = {}): NewTenant {
    const slug = this.slug(name)
    const schema = parseSchemaName(`tenant_${slug}`)
    return { slug, name: slug, schema, metadata: {}, ...more }
  }

  /** Adds a tenant. */
  insert(name: string, more: Partial<NewTenant> = {}): Promise<Tenant> {
    return this.registry.insert(this.pool, this.order(name, more))
  }

  /** A domain that is about to be added. */
  domain(name: string, more: Partial<NewDomain> = {}): NewDomain {
    const host = parseHost(`${name}-${this.#unique}.test`)
    return { host, path: '', primary: false, verified: true, ...more }
  }

  /** Runs work in a transaction, and ends it by COMMIT or ROLLBACK. */
  async transaction<R>(
    end: 'commit' | 'rollback',
    work: (client: PoolClient) => Promise<R>,
  ): Promise<R> {
    const client = await this.pool.connect()
    let isDone = false
    try {
      await client.query('begin isolation level read committed')
      const result = await work(client)
      await client.query(end)
      isDone = true
      return result
    } finally {
      client.release(!isDone)
    }
  }

  /** Removes what the check has left. */
  async clear(): Promise<void> {
    for (const slug of this.#slugs) await this.registry.remove(this.pool, slug)
  }
}

/** Expects an error of the package. */
export async function expectError(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error !== undefined && !isTenantryError(error)) throw error
  if (error?.code === 'REGISTRY_UNSUPPORTED') throw error
  assert.equal(error?.code, code)
}
