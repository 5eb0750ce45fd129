import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { aloneKey, schemaKey } from '../migration/unit/enter.js'
import type { SchemaName } from '../names/schema-name.js'
import { sessionKey } from '../postgres/advisory-lock.js'
import { isYes, yesIf } from '../postgres/answer.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'

/** The schemas that a change is about, and how long it waits for them. */
export interface SchemaHold {
  readonly schemas: readonly SchemaName[]
  readonly lockTimeoutMs: number
}

const LOOK_EVERY_MS = 20

/**
 * Keeps migrations, session scopes and other changes of the tenants off the schemas until the
 * transaction ends.
 *
 * @throws `TENANT_BUSY`
 */
export async function holdSchemas(
  client: PoolClient,
  { schemas, lockTimeoutMs }: SchemaHold,
): Promise<void> {
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
  // In one order for all, so that two changes never wait for each other.
  for (const schema of [...new Set(schemas)].toSorted()) {
    await holdSchema(client, schema)
    await untilNoSession(client, schema, lockTimeoutMs)
  }
}

/**
 * Waits for sessions whose path is set to the schema, and keeps others off. It only tries: a
 * statement that waits has a snapshot, and the session may be creating an index concurrently.
 */
async function untilNoSession(
  client: PoolClient,
  schema: SchemaName,
  lockTimeoutMs: number,
): Promise<void> {
  const end = performance.now() + lockTimeoutMs
  for (;;) {
    const { rows } = await client.query<{ free: string | null }>(
      `select ${yesIf('pg_try_advisory_xact_lock($1)')} as free`,
      [sessionKey(schema)],
    )
    if (isYes(rows[0]?.free)) return
    if (performance.now() > end) throw busy(schema)
    await delay(LOOK_EVERY_MS)
  }
}

/**
 * Keeps migrations and other changes of the tenant off a schema, until the transaction ends; who
 * reads and writes in it does not notice.
 *
 * @throws `TENANT_BUSY` after the transaction's `lock_timeout`
 */
export async function holdSchema(client: PoolClient, schema: SchemaName): Promise<void> {
  const { rows } = await client
    .query<{ free: string | null }>(
      `select ${yesIf(`pg_try_advisory_xact_lock(${aloneKey(schema)})`)} as free
       from pg_advisory_xact_lock(${schemaKey(schema)})`,
    )
    .catch((error: unknown) => {
      if (sqlStateOf(error) === SQL_STATE.lockNotAvailable) throw busy(schema, error)
      throw error
    })
  if (!isYes(rows[0]?.free)) throw busy(schema)
}

/** The error for a schema that somebody else is at work on. */
export function busy(schema: SchemaName, cause?: unknown): TenantryError {
  return new TenantryError(
    'TENANT_BUSY',
    `Schema "${schema}" is in use: a migration, another change of the tenant or a transaction of a ` +
      'scope did not end in time. Nothing was changed; try again, or give more time by "lockTimeout".',
    { schema, ...(cause !== undefined && { cause }) },
  )
}
