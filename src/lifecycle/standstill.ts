import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent } from '../names/schema-name.js'
import type { Database } from '../postgres/database.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import { busy, holdSchemas } from './schema-lock.js'

/** Which schema is to stand still, and what else is kept for the work. */
export interface Standstill {
  readonly schema: SchemaName
  /** Another schema's name that the work needs. */
  readonly also?: SchemaName | undefined
  /** How long to wait for running transactions, in milliseconds. */
  readonly lockTimeoutMs: number
  /**
   * Is done before in the same transaction, while scopes go on: the schema may get another name,
   * which is the answer.
   */
  readonly prepare?: ((client: PoolClient) => Promise<SchemaName>) | undefined
}

const LOOK_EVERY_MS = 5

/** Takes back whatever the fence has done; it is never committed. */
class FenceTakenDown extends Error {}

/**
 * Runs `work` in a transaction while no transaction of a scope is open in the schema and none can
 * begin; a scope that begins meanwhile looks the schema up only after the commit.
 *
 * Each transaction of a scope locks its schema against being dropped, and nothing but DROP SCHEMA
 * waits for that lock: ALTER SCHEMA would not. So a second client tries to drop the schema, which
 * waits first for the scopes and then for `work`, whose transaction has locked the schema's tables.
 * It fails after the commit because the schema is not empty, and is rolled back in any case.
 *
 * @throws `TENANT_BUSY`, `SCHEMA_MISSING`, and what `work` throws
 * @see https://www.postgresql.org/docs/current/explicit-locking.html
 */
export async function atStandstill<R>(
  db: Database,
  { schema, also, lockTimeoutMs, prepare }: Standstill,
  work: (client: PoolClient) => Promise<R>,
): Promise<R> {
  const schemas = also === undefined ? [schema] : [schema, also]
  return behindFence(db, (fence) =>
    db.transaction(async (client) => {
      await holdSchemas(client, { schemas, lockTimeoutMs })
      // Others see no other name before the commit.
      const now = prepare === undefined ? schema : await prepare(client)
      if (await lockRelations(client, now)) {
        await fence.query(`set local lock_timeout = ${lockTimeoutMs}`)
        await untilRaised(client, { schema, now }, fence)
      }
      return work(client)
    }),
  )
}

/** The second client, with the statement that it runs. */
interface Fence {
  query(text: string): Promise<unknown>
  raise(text: string): { readonly failed: () => unknown }
}

async function behindFence<R>(db: Database, work: (fence: Fence) => Promise<R>): Promise<R> {
  const results: R[] = []
  await db
    .transaction(async (client) => {
      let raised: Promise<unknown> = Promise.resolve()
      const raise: Fence['raise'] = (text) => {
        let failure: unknown
        raised = client.query(text).catch((error: unknown) => {
          failure = error
        })
        return { failed: () => failure }
      }
      // What comes before the fence may take long.
      await client.query('set local idle_in_transaction_session_timeout = 0')
      try {
        results.push(await work({ query: (text) => client.query(text), raise }))
      } finally {
        await raised
      }
      throw new FenceTakenDown()
    })
    .catch((error: unknown) => {
      if (!(error instanceof FenceTakenDown)) throw error
    })
  const [result] = results
  if (result === undefined) throw new TypeError('The work had no result.')
  return result
}

/**
 * Locks what is in the schema, so that the fence stops at it.
 *
 * @returns `false` for a schema without a table, where no scope can read anything.
 */
async function lockRelations(client: PoolClient, schema: SchemaName): Promise<boolean> {
  const { rows } = await client.query<{ name: string | null }>(
    `select c.oid::regclass::text as name from pg_catalog.pg_namespace n
     left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v')
     where n.nspname = $1`,
    [schema],
  )
  if (rows.length === 0) throw schemaMissing(schema)
  const names = rows.flatMap(({ name }) => name ?? [])
  if (names.length === 0) return false
  await client
    .query(`lock table only ${names.join(', only ')} in access share mode`)
    .catch((error: unknown) => {
      if (sqlStateOf(error) === SQL_STATE.lockNotAvailable) throw busy(schema, error)
      throw error
    })
  return true
}

async function untilRaised(
  client: PoolClient,
  { schema, now }: { readonly schema: SchemaName; readonly now: SchemaName },
  fence: Fence,
): Promise<void> {
  const { failed } = fence.raise(`drop schema ${quoteIdent(schema)} restrict`)
  for (;;) {
    const { rows } = await client.query(
      `select from pg_catalog.pg_locks
       where locktype = 'object' and classid = 'pg_catalog.pg_namespace'::regclass
         and objid = to_regnamespace($1) and mode = 'AccessExclusiveLock' and granted
         and database = (select oid from pg_catalog.pg_database where datname = current_database())`,
      [quoteIdent(now)],
    )
    if (rows.length > 0) return
    const failure = failed()
    if (sqlStateOf(failure) === SQL_STATE.lockNotAvailable) throw busy(schema, failure)
    if (failure !== undefined) throw failure
    await delay(LOOK_EVERY_MS)
  }
}

/** The error for a tenant whose schema is not there. */
export function schemaMissing(schema: SchemaName): TenantryError {
  return new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${schema}" does not exist. Restore it from a backup with { replace: true }, or delete and purge its tenant.`,
    { schema },
  )
}
