import type { ClientBase } from 'pg'
import type { Fleet, Lender } from '../support/lenders.js'

/** What every way to a tenant's data has in common. */
export type Db = Pick<ClientBase, 'query'>

/** One of the ways to run statements as a tenant. */
export interface Way {
  readonly name: string
  run<R>(fleet: Fleet, lender: Lender, fn: (db: Db) => Promise<R>): Promise<R>
}

/** `router.withTenant`. */
export const BY_SCOPE: Way = {
  name: 'withTenant',
  run: ({ router }, { slug }, fn) => router.withTenant(slug, fn),
}

/** `router.pool` with an ambient tenant. */
export const BY_POOL: Way = {
  name: 'router.pool',
  run: ({ router }, { slug }, fn) => router.runAs(slug, () => fn(router.pool)),
}

/** A client of `router.pool`. */
export const BY_CLIENT: Way = {
  name: 'router.pool.connect()',
  async run({ router }, { slug }, fn) {
    const client = await router.runAs(slug, () => router.pool.connect())
    try {
      return await fn(client)
    } finally {
      client.release()
    }
  },
}

/** A pool that is bound to a tenant. */
const BY_BOUND_POOL: Way = {
  name: 'router.poolFor()',
  run: ({ router }, { slug }, fn) => fn(router.poolFor(slug)),
}

/** All ways to run statements as a tenant. */
export const WAYS: readonly Way[] = [BY_SCOPE, BY_POOL, BY_CLIENT, BY_BOUND_POOL]
