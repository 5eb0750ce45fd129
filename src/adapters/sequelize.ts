/**
 * Sequelize in the tenant of the scope.
 *
 * @module tenantry/sequelize
 */

import type { PoolClient } from 'pg'
import { optionInvalid } from '../support/options.js'
import {
  type NamedSchemasOption,
  type PoolOwner,
  nameRule,
  scopeBypassed,
} from './orm/name-rule.js'
import { beforeEachCall, isCallable, isObject, property, replaceMember } from './orm/property.js'

export type { NamedSchemasOption, PoolOwner } from './orm/name-rule.js'

/** Sequelize asks for the version to know what it may write; this is the oldest that is supported. */
const OLDEST_VERSION = '15.0.0'

/**
 * Makes a Sequelize 6 that answers for the ambient tenant, and refuses what would not.
 *
 * Its connections are clients of the router's pool, so Sequelize's own pool stays empty. A schema of the
 * options or of a model would be written into each statement, and a `searchPath` stays on the
 * connection. They are refused. What stands in your own SQL text is not seen.
 *
 * @param router The router, or anything else with its `pool`.
 * @param make Makes the Sequelize; where it would connect to does not count.
 * @throws `OPTIONS_INVALID`, `NAME_INVALID`; statements are refused with `SCOPE_BYPASSED`
 * @example
 * import { DataTypes, Sequelize } from 'sequelize'
 * import type { SchemaRouter } from 'tenantry'
 * import { tenantSequelize } from 'tenantry/sequelize'
 *
 * function loansOf(router: SchemaRouter, slug: string): Promise<object[]> {
 *   const sequelize = tenantSequelize(router, () => new Sequelize({ dialect: 'postgres' }))
 *   const Loan = sequelize.define('loans', { item: DataTypes.TEXT }, { timestamps: false })
 *   return router.runAs(slug, () => Loan.findAll())
 * }
 */
export function tenantSequelize<S extends object>(
  router: PoolOwner,
  make: () => S,
  options: NamedSchemasOption = {},
): S {
  const rule = nameRule(options)
  const sequelize = make()
  const manager = property(sequelize, 'connectionManager')
  const settings = property(sequelize, 'options')
  const generator = property(property(sequelize, 'dialect'), 'queryGenerator')
  const isPostgres = property(settings, 'dialect') === 'postgres'
  if (!isPostgres || !isObject(manager) || !isObject(settings) || !isObject(generator)) {
    throw optionInvalid('make', "Return new Sequelize({ dialect: 'postgres' }).")
  }
  rule(property(settings, 'schema'), 'Sequelize')
  rule(property(property(settings, 'define'), 'schema'), 'definition of models')
  beforeEachCall(generator, 'quoteTable', (table) => {
    rule(property(table, 'schema'), `table "${String(property(table, 'tableName'))}"`)
  })
  beforeEachCall(generator, 'setSearchPath', () => {
    throw scopeBypassed('Leave "searchPath" out of the query: the path is that of the tenant.', {
      option: 'searchPath',
    })
  })
  if (!property(settings, 'databaseVersion')) {
    Reflect.set(settings, 'databaseVersion', OLDEST_VERSION)
  }
  seatManager(manager, router)
  return sequelize
}

/** Has Sequelize's connections come from the router and go back to it. */
function seatManager(manager: object, router: PoolOwner): void {
  const clients = new WeakMap<object, PoolClient>()
  let typesKnown: Promise<unknown> | undefined
  const release = (connection: object, destroy: boolean): void => {
    clients.get(connection)?.release(destroy)
    clients.delete(connection)
  }
  const steps = {
    getConnection: async (): Promise<object> => {
      const client = await router.pool.connect()
      const connection = connectionOf(client, manager)
      clients.set(connection, client)
      try {
        await (typesKnown ??= learnTypes(manager, connection))
      } catch (error) {
        typesKnown = undefined
        release(connection, true)
        throw error
      }
      return connection
    },
    releaseConnection: (connection: object): void => {
      release(connection, Boolean(property(connection, '_invalid')))
    },
    destroyConnection: async (connection: object): Promise<void> => release(connection, true),
  }
  for (const [step, value] of Object.entries(steps)) replaceMember(manager, step, value)
}

/** Sequelize reads the server's types once, with its first connection, to know how to parse them. */
async function learnTypes(manager: object, connection: object): Promise<void> {
  const refresh = property(manager, '_refreshDynamicOIDs')
  if (isCallable(refresh)) await Reflect.apply(refresh, manager, [connection])
}

/** A connection as Sequelize uses it, which parses as Sequelize does and is no longer than its client. */
function connectionOf(client: PoolClient, manager: object): object {
  const types = {
    getTypeParser: (...args: readonly unknown[]): unknown => {
      const parserOf = property(manager, 'getTypeParser')
      return isCallable(parserOf) ? Reflect.apply(parserOf, manager, args) : String
    },
  }
  const run = (args: readonly unknown[]): unknown => {
    const own = property(client, 'query')
    return isCallable(own) ? Reflect.apply(own, client, args) : undefined
  }
  const query = (text: string, ...rest: readonly unknown[]): unknown => {
    const values = Array.isArray(rest[0]) ? { values: rest[0] } : {}
    const callback = rest.filter(isCallable)
    return run([{ text, types, ...values }, ...callback])
  }
  return { query }
}
