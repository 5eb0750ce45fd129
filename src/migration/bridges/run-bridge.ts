import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { tryLockSession } from '../../postgres/advisory-lock.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { memoryOf } from '../../postgres/session/client-memory.js'
import type { Database } from '../../postgres/database.js'
import { preludeOf } from '../../postgres/statement/prelude.js'
import { sqlStateOf } from '../../postgres/sql-state.js'
import type { FleetSchema } from '../../selector/selector.js'
import { backoffMs } from '../../support/backoff.js'
import type { BridgeTarget, MigrationBridge } from './bridge.js'
import { schemaKeyOf } from '../unit/enter.js'
import { type SchemaLayout, extrasOf, pathOf } from '../layout.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../run/run-options.js'
import { SingleClientPool, lentClient } from './single-client-pool.js'
import { isError, reasonOf } from '../../support/is-error.js'
import { present } from '../../support/present.js'

/** What a tool is to do in one schema. */
export interface BridgeJob {
  readonly layout: SchemaLayout
  readonly schema: Pick<FleetSchema, 'schema' | 'kind' | 'tenant'>
  readonly bridge: MigrationBridge
  readonly task: 'up' | 'pending' | 'down'
  /** How long to wait for another run on the same schema, in milliseconds. */
  readonly lockTimeoutMs?: number
}

const BASE_WAIT_MS = 50
const MAX_WAIT_MS = 1_000

/**
 * Runs another tool on one schema, on a client of its own whose session has the schema's path.
 *
 * The tool opens and ends transactions as it likes, so path and lock belong to the session, and the
 * client is destroyed afterwards.
 *
 * @returns the names that the tool tells.
 * @throws `MIGRATION_FAILED`, `SCHEMA_MISSING`, `POOLER_IN_BETWEEN`, `OPTIONS_INVALID`
 */
export async function runBridge(db: Database, job: BridgeJob): Promise<readonly string[]> {
  const { layout, schema, bridge, task } = job
  const path = pathOf(layout, schema.schema, schema.kind)
  return db.session(preludeOf(schema.schema, path), async (client) => {
    // Nobody knows what a tool leaves on its connection: the client is replaced.
    memoryOf(client).leavings.add('setting')
    const work = workOf(bridge, task)
    if (task === 'pending')
      return readOnly(client, () => tell(job, () => work(target(client, job))))
    await lockSession(client, job)
    const names = await tell(job, () => work(target(client, job)))
    await requireKept(client, path, job)
    return names
  })
}

function workOf(
  bridge: MigrationBridge,
  task: BridgeJob['task'],
): (target: BridgeTarget) => Promise<readonly string[]> {
  if (task === 'up') return (given) => bridge.up(given)
  if (task === 'pending') return (given) => bridge.pending(given)
  if (bridge.down === undefined) {
    throw new TenantryError(
      'OPTIONS_INVALID',
      `The migrations of ${bridge.origin} cannot be taken back. Write a new migration instead.`,
      { option: 'migrations' },
    )
  }
  return (given) => bridge.down?.(given) ?? Promise.resolve([])
}

function target(client: PoolClient, { layout, schema }: BridgeJob): BridgeTarget {
  const extras = extrasOf(layout, schema.kind)
  return {
    schema: schema.schema,
    ...(schema.tenant && { tenant: schema.tenant.slug }),
    searchPath: [schema.schema, ...extras.filter((extra) => extra !== schema.schema), 'pg_temp'],
    client: lentClient(client),
    pool: new SingleClientPool(client),
  }
}

/** Tools make their tables when they are asked what is pending; that is taken back. */
async function readOnly<R>(client: PoolClient, work: () => Promise<R>): Promise<R> {
  await client.query('begin')
  try {
    return await work()
  } finally {
    await client.query('rollback').catch(() => {})
  }
}

/** The lock of native runs, but for the session: the tool ends transactions as it likes. */
async function lockSession(client: PoolClient, job: BridgeJob): Promise<void> {
  const { schema, lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS } = job
  const key = schemaKeyOf(schema.schema)
  const end = performance.now() + lockTimeoutMs
  for (let attempt = 1; !(await tryLockSession(client, key)); attempt += 1) {
    if (performance.now() > end) {
      throw failed(job, new Error(`another run has been at work on it for ${lockTimeoutMs} ms`))
    }
    await delay(backoffMs(attempt, BASE_WAIT_MS, MAX_WAIT_MS))
  }
}

/** What the tool says it has done must be committed, and must have been done in this schema. */
async function requireKept(client: PoolClient, path: string, job: BridgeJob): Promise<void> {
  const { rows } = await tell(job, () =>
    client.query<{ now: string; closed: string | null }>(
      `select current_setting('search_path') as now,
         ${yesIf('txid_current_if_assigned() is null')} as closed`,
    ),
  )
  const { now, closed } = present(rows[0])
  if (!isYes(closed))
    throw failed(job, new Error('it has left its transaction open, which is rolled back'))
  if (now === path) return
  throw failed(
    job,
    new Error(
      `it has set the search_path of its session to ${JSON.stringify(now)}, so what followed may ` +
        'have landed in other schemas. Look there, and remove that from the migration',
    ),
  )
}

async function tell<R>(job: BridgeJob, work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    throw failed(job, error)
  }
}

function failed({ bridge, schema: { schema } }: BridgeJob, error: unknown): TenantryError {
  const cause = serverErrorIn(error) ?? error
  const reason = reasonOf(cause)
  return new TenantryError(
    'MIGRATION_FAILED',
    `${bridge.origin} failed in schema "${schema}": ${reason}. What it had committed before stays; ` +
      'correct the migration or the data, and run the migrations again.',
    { schema, sqlState: sqlStateOf(cause), cause },
  )
}

/** Tools wrap the server's error, some of them twice; a run must see whether it passes by itself. */
function serverErrorIn(error: unknown): unknown {
  for (let each = error; isError(each); each = each.cause) {
    if (sqlStateOf(each) !== undefined) return each
  }
  return undefined
}
