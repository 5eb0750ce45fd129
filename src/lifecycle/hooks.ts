import type { ClientBase, PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { lentClient } from '../migration/single-client-pool.js'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { optionInvalid, refuseUnknown } from '../support/options.js'

/** What a hook inside a transaction is given. */
export interface HookContext<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  /** Answers for the tenant's schema; what it does is part of the transaction. */
  readonly db: Pick<ClientBase, 'query'>
}

/** A hook inside the transaction of an operation: what it throws fails the operation whole. */
export type TransactionHook<Metadata = TenantMetadata> = (
  context: HookContext<Metadata>,
) => Promise<unknown> | void

/** A hook after the commit of an operation, which stays done whatever the hook throws. */
export type CommittedHook<Metadata = TenantMetadata> = (
  context: Pick<HookContext<Metadata>, 'tenant'>,
) => Promise<unknown> | void

/**
 * What a service does at turns of a tenant's life; each hook is awaited.
 *
 * A hook that is given `db` runs inside the operation's transaction: if it throws, or leaves a
 * failed statement behind, everything is rolled back and the operation throws the hook's error.
 * The others run after the commit: if one throws, the operation is done and throws `HOOK_FAILED`.
 */
export interface TenantHooks<Metadata = TenantMetadata> {
  /** The row, the domains and the empty schema are there; also for a clone. */
  readonly beforeCreate?: TransactionHook<Metadata>
  /** The schema is about to get the migrations of a new tenant. */
  readonly beforeMigrate?: TransactionHook<Metadata>
  /** The schema has had the migrations of a new tenant. */
  readonly afterMigrate?: TransactionHook<Metadata>
  /** The tenant is complete, with a clone's data, and about to be committed. */
  readonly afterCreate?: TransactionHook<Metadata>
  /** The tenant is about to be deleted; its schema stays. */
  readonly beforeDelete?: TransactionHook<Metadata>
  /** The tenant has been deleted. */
  readonly afterDelete?: CommittedHook<Metadata>
  /** The schema is about to be dropped; nothing of it is gone yet. */
  readonly beforePurge?: TransactionHook<Metadata>
  /** Schema, row and domains are gone. */
  readonly afterPurge?: CommittedHook
}

type TransactionHookName =
  'beforeCreate' | 'beforeMigrate' | 'afterMigrate' | 'afterCreate' | 'beforeDelete' | 'beforePurge'

/** In which transaction, and for whom, a hook runs. */
export interface HookPlace {
  readonly client: PoolClient
  readonly tenant: Tenant
  /** The text of the tenant's `search_path`. */
  readonly path: string
}

/** Runs a hook inside the caller's transaction, on the tenant's path. */
export async function runHook(
  hooks: TenantHooks,
  name: TransactionHookName,
  { client, tenant, path }: HookPlace,
): Promise<void> {
  const hook = hooks[name]
  if (hook === undefined) return
  const { rows } = await client.query<{ path: string }>(
    `select current_setting('search_path') as path, set_config('search_path', $1, true)`,
    [path],
  )
  const lent = lend(client)
  try {
    await hook({ tenant, db: lent.db })
  } finally {
    lent.end()
  }
  // Fails, and the operation with it, where the hook has swallowed the failure of a statement.
  await client.query(`select set_config('search_path', $1, true)`, [rows[0]?.path])
}

interface Lent {
  readonly db: HookContext['db']
  end(): void
}

/** The client for as long as the hook runs: one that is kept would be the next borrower's. */
function lend(client: PoolClient): Lent {
  const { proxy, revoke } = Proxy.revocable(lentClient(client), {})
  return { db: proxy, end: revoke }
}

/**
 * Runs a hook after the commit.
 *
 * @throws `HOOK_FAILED`
 */
export async function runCommittedHook(
  hooks: TenantHooks,
  name: 'afterDelete' | 'afterPurge',
  tenant: Tenant,
): Promise<void> {
  try {
    await hooks[name]?.({ tenant })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TenantryError(
      'HOOK_FAILED',
      `Tenant "${tenant.slug}" is ${name === 'afterDelete' ? 'deleted' : 'purged'}, and that ` +
        `stays so; but the hook ${name} failed: ${reason}. Do by hand what it had to do.`,
      { tenant: tenant.slug, schema: tenant.schema, option: `hooks.${name}`, cause: error },
    )
  }
}

const HOOK_NAMES: readonly (keyof TenantHooks)[] = [
  'beforeCreate',
  'beforeMigrate',
  'afterMigrate',
  'afterCreate',
  'beforeDelete',
  'afterDelete',
  'beforePurge',
  'afterPurge',
]

/**
 * Checks the hooks of a service: a misspelt one would never be called.
 *
 * @throws `OPTIONS_INVALID`
 */
export function checkHooks(hooks: TenantHooks): TenantHooks {
  refuseUnknown('hooks.', hooks, HOOK_NAMES)
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook === undefined || typeof hook === 'function') continue
    throw optionInvalid(`hooks.${name}`, `Option "hooks.${name}" must be a function.`)
  }
  return hooks
}
