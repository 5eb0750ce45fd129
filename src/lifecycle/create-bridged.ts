import type { PoolClient } from 'pg'
import { log } from '../diagnostics/log.js'
import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import type { MigrationBridge } from '../migration/bridge.js'
import type { SchemaLayout } from '../migration/layout.js'
import { runBridge } from '../migration/run-bridge.js'
import type { Database } from '../postgres/database.js'
import type { Tenant } from '../registry/tenant.js'

const debug = log('migrate')

/** A tenant whose schema another tool migrates. */
export interface BridgedTenant {
  readonly layout: SchemaLayout
  readonly bridge: MigrationBridge
  readonly schema: SchemaName
  /** Adds row and domains. */
  readonly register: (client: PoolClient) => Promise<Tenant>
  /** Makes the schema, which must not exist. */
  readonly makeSchema: (client: PoolClient, tenant: Tenant) => Promise<void>
  /** Runs when the row has been added, before the commit. */
  readonly complete: (client: PoolClient, tenant: Tenant) => Promise<void>
}

/**
 * Creates a tenant with another tool, which commits as it likes: the schema comes first, then the
 * migrations, and the row last, so that nobody is served a schema that is half made.
 *
 * On a failure the schema is dropped again. If the process ends in between, a schema without a
 * tenant stays, and the next attempt says so.
 */
export async function createBridged(db: Database, tenant: BridgedTenant): Promise<Tenant> {
  const { layout, bridge, schema, register, makeSchema, complete } = tenant
  await db.transaction(async (client) => {
    await client.query('savepoint row')
    // Only to learn, before anything is made, that slug and domains are free.
    const registered = await register(client)
    await client.query('rollback to row')
    await makeSchema(client, registered)
  })
  try {
    const owned = { schema, kind: 'tenant' as const }
    await runBridge(db, { layout, bridge, schema: owned, task: 'up' })
    return await db.transaction(async (client) => {
      const registered = await register(client)
      await complete(client, registered)
      return registered
    })
  } catch (error) {
    await db
      .query(`drop schema if exists ${quoteIdent(schema)} cascade`)
      .catch((reason: unknown) => {
        // The caller needs to hear what went wrong first.
        debug('schema %s could not be dropped: %s', schema, reason)
      })
    throw error
  }
}
