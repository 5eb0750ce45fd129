/**
 * Knex in the tenant of the scope.
 *
 * @module tenantry/knex
 */

import type { TenantPool } from '../scope/tenant-pool.js'
import { optionInvalid } from '../support/options.js'
import { guardKnexClient } from './orm/knex-client.js'
import {
  type NamedSchemasOption,
  type PoolOwner,
  nameRule,
  scopeBypassed,
} from './orm/name-rule.js'
import { isObject, property } from './orm/property.js'

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/**
 * Makes a knex that answers for the ambient tenant, and refuses what would not.
 *
 * `withSchema('x')`, and tables such as `'x.loans'`, name their schema in the statement; the option
 * `searchPath` names one for all of them. They are refused. What stands in your own SQL text is not
 * seen. knex takes pools since its version 3.3.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes knex from the pool, which is its `connectionPool`.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`, and `SCOPE_BYPASSED` for the option `searchPath`;
 * statements are refused with `SCOPE_BYPASSED`
 * @example
 * import knex from 'knex'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantKnex } from 'tenantry/knex'
 *
 * function itemsOf(router: SchemaRouter, slug: string): Promise<string[]> {
 *   const db = tenantKnex(router, (pool) => knex({ client: 'pg', connectionPool: pool }))
 *   return router.runAs(slug, () => db('loans').pluck<string[]>('item'))
 * }
 */
export function tenantKnex<K extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => K,
  options: NamedSchemasOption = {},
): K {
  const rule = nameRule(options)
  const db = make(router.pool)
  const client = property(db, 'client')
  const config = property(client, 'config')
  if (!isObject(client) || property(config, 'connectionPool') !== router.pool) {
    throw optionInvalid('make', "Return knex({ client: 'pg', connectionPool: pool }).")
  }
  if (property(config, 'searchPath') !== undefined) {
    throw scopeBypassed('Leave knex’s "searchPath" out: the path is that of the tenant.', {
      option: 'searchPath',
    })
  }
  guardKnexClient(client, rule)
  return db
}
