import type { PoolClient } from 'pg'
import { log } from '../../diagnostics/log.js'
import { TenantryError, isTenantryError } from '../../errors.js'
import { schemaKey } from '../../migration/unit/enter.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { MigrationBridge } from '../../migration/bridges/bridge.js'
import type { SchemaLayout } from '../../migration/layout.js'
import { runBridge } from '../../migration/bridges/run-bridge.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { Database } from '../../postgres/database.js'
import type { Queryable } from '../../postgres/queryable.js'
import type { Tenant } from '../../registry/tenant.js'
import { markOf, markSchema } from '../schema-mark.js'

const debug = log('migrate')

/** A tenant whose schema another tool migrates. */
export interface BridgedTenant {
  readonly layout: SchemaLayout
  readonly bridge: MigrationBridge
  readonly schema: SchemaName
  /** Adds row and domains. */
  readonly register: (client: PoolClient) => Promise<Tenant>
  /** The tenant of the same slug, if there is one. */
  readonly find: (db: Queryable) => Promise<Tenant | undefined>
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
 * tenant stays, and its mark says what it is.
 */
export async function createBridged(db: Database, tenant: BridgedTenant): Promise<Tenant> {
  const { layout, bridge, schema, register, complete } = tenant
  await db
    .transaction((client) => makeEmpty(client, tenant))
    .catch((error: unknown) => explainTaken(db, tenant, error))
  try {
    const owned = { schema, kind: 'tenant' as const }
    await runBridge(db, { layout, bridge, schema: owned, task: 'up' })
    return await db.transaction(async (client) => {
      const registered = await register(client)
      await complete(client, registered)
      await markSchema(client, schema, undefined)
      return registered
    })
  } catch (error) {
    await db
      .transaction((client) => dropHalfMade(client, tenant))
      .catch((reason: unknown) => {
        // The caller needs to hear what went wrong first.
        debug('schema %s could not be dropped: %s', schema, reason)
      })
    throw error
  }
}

async function makeEmpty(client: PoolClient, tenant: BridgedTenant): Promise<void> {
  const { schema, register, makeSchema } = tenant
  await client.query('savepoint row')
  // Only to learn, before anything is made, that slug and domains are free.
  const registered = await register(client)
  await client.query('rollback to row')
  await makeSchema(client, registered)
  await markSchema(client, schema, { kind: 'creating', at: new Date() })
}

/** A schema that another process makes for the same tenant at this moment has no row yet. */
async function explainTaken(
  db: Database,
  { schema }: BridgedTenant,
  error: unknown,
): Promise<never> {
  if (!isTenantryError(error, 'SCHEMA_EXISTS')) throw error
  const mark = await markOf(db, schema)
  if (mark?.kind !== 'creating') throw error
  const { rows } = await db.query<{ free: string | null }>(
    `select ${yesIf(`pg_try_advisory_xact_lock_shared(${schemaKey(schema)})`)} as free`,
  )
  if (isYes(rows[0]?.free)) throw error
  throw new TenantryError(
    'TENANT_EXISTS',
    `Another process is creating the tenant of schema "${schema}" at this moment. Choose another ` +
      'slug, or try again if that fails.',
    { schema, cause: error },
  )
}

/**
 * Drops the schema, unless the tenant is there: a commit can succeed although its answer is lost.
 *
 * To write the mark waits for a commit that is still under way, which has taken the mark away.
 */
async function dropHalfMade(client: PoolClient, { schema, find }: BridgedTenant): Promise<void> {
  await markSchema(client, schema, { kind: 'creating', at: new Date() })
  const tenant = await find(client)
  if (tenant?.schema === schema) await markSchema(client, schema, undefined)
  else await client.query(`drop schema ${quoteIdent(schema)} cascade`)
}
