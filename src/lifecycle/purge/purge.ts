import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { pathOf } from '../../migration/layout.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type SchemaName, parseSchemaName, quoteIdent } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'
import type { Tenant } from '../../registry/tenant.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { type Droppable, dependentsOutside, firstBatch, readDroppables } from './drop-plan.js'
import { type HookPlace, runCommittedHook, runHook } from '../hooks.js'
import { tenantNotFound } from '../not-found.js'
import { busy, holdSchemas } from '../schema-lock.js'
import { markOf, markSchema, readComments } from '../schema-mark.js'
import { requireStatus } from '../status-change.js'
import { present } from '../../support/present.js'

/** What a purge is told. */
export interface PurgeOptions {
  /** The tenant's slug once more: its data will be gone. */
  readonly confirm: string
  /**
   * How long to wait for transactions that still use the schema, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
}

interface Purge {
  /** As it was looked up; its slug may be another tenant's by the time the schema is locked. */
  readonly found: Tenant
  readonly slug: Slug
  readonly lockTimeoutMs: number
  /** How many locks one transaction may take. */
  readonly budget: number
}

/** Drops a deleted tenant's schema and forgets the tenant. See `Tenants.purge`. */
export async function purgeTenant(
  parts: LifecycleParts,
  input: string,
  { confirm, lockTimeout }: PurgeOptions,
): Promise<Tenant> {
  const slug = parseSlug(input)
  if (confirm !== slug) {
    throw optionInvalid(
      'confirm',
      `A purge drops the data of tenant "${slug}" for good: give its slug again as "confirm".`,
    )
  }
  const lockTimeoutMs = wholeNumber('lockTimeout', lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS, 1)
  const found = (await parts.registry.findBySlug(parts.db, slug)) ?? tenantNotFound(slug)
  requireStatus(found, 'purge')
  let budget = await locksPerTransaction(parts)
  for (;;) {
    const turn = await purgeTurn(parts, { found, slug, lockTimeoutMs, budget }).catch(
      (error: unknown) => {
        if (!isOutOfLocks(error) || budget <= 1) throw error
        // Others hold more than their share, or an object needs more than was thought.
        budget = Math.floor(budget / 2)
        return 'again'
      },
    )
    if (turn === 'again') continue
    parts.lookUps.forgetTenant(slug)
    await runCommittedHook(parts.hooks, 'afterPurge', found)
    return found
  }
}

/**
 * What the server has set aside for each connection; a transaction may take more only as long as
 * others take less.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-locks.html
 */
async function locksPerTransaction({ db }: LifecycleParts): Promise<number> {
  const { rows } = await db.query<{ locks: string }>(
    `select current_setting('max_locks_per_transaction') as locks`,
  )
  return Number(present(rows[0]).locks)
}

function isOutOfLocks(error: unknown): boolean {
  return sqlStateOf(error) === SQL_STATE.outOfMemory
}

/** One transaction: either the last one, or one that drops as much as it may. */
async function purgeTurn(parts: LifecycleParts, purge: Purge): Promise<'done' | 'again'> {
  const { registry, layout, db } = parts
  return db.transaction(async (client) => {
    const { found, slug, lockTimeoutMs, budget } = purge
    const schema = parseSchemaName(found.schema)
    await holdSchemas(client, { schemas: [schema], lockTimeoutMs })
    const tenant = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
    if (tenant.id !== found.id || tenant.schema !== schema) tenantNotFound(slug)
    requireStatus(tenant, 'purge')
    await requireUnused(client, schema)
    await announce(parts, { client, tenant, path: pathOf(layout, schema, 'tenant') })
    const droppables = await readDroppables(client, schema)
    const batch = firstBatch(droppables, budget)
    try {
      if (batch.length < droppables.length) return await dropBatch(client, schema, batch)
      await client.query(`drop schema if exists ${quoteIdent(schema)} cascade`)
    } catch (error) {
      if (sqlStateOf(error) === SQL_STATE.lockNotAvailable) throw busy(schema, error)
      throw error
    }
    await registry.remove(client, slug)
    return 'done'
  })
}

async function dropBatch(
  client: PoolClient,
  schema: SchemaName,
  batch: readonly Droppable[],
): Promise<'again'> {
  // From the first batch on, the schema is not what it was: it cannot be undeleted any more.
  if ((await readComments(client, [schema])).has(schema)) {
    await markSchema(client, schema, { kind: 'purging', at: new Date() })
  }
  await client.query('set local client_min_messages = warning')
  await client.query(batch.map(({ dropText }) => dropText).join(';\n'))
  return 'again'
}

/** A purge that was interrupted has been announced, and what is left is no whole schema. */
async function announce({ hooks }: LifecycleParts, place: HookPlace): Promise<void> {
  const { client, tenant } = place
  const mark = await markOf(client, tenant.schema)
  if (mark?.kind !== 'purging') await runHook(hooks, 'beforePurge', place)
}

async function requireUnused(client: PoolClient, schema: SchemaName): Promise<void> {
  const dependents = await dependentsOutside(client, schema)
  if (dependents.length === 0) return
  throw new TenantryError(
    'SCHEMA_IN_USE',
    `Schema "${schema}" was not dropped, because other schemas need what is in it: ` +
      `${dependents.join('; ')}. Drop those first, and purge again.`,
    { schema, candidates: dependents },
  )
}
