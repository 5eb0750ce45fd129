import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { TransactionDb } from '../migration/unit/lent-transaction.js'
import { type MigrateHooks, runInTransaction, unitHooks } from '../migration/migrate-hooks.js'
import { parseSchemaName } from '../names/schema-name.js'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import { reasonOf } from '../support/is-error.js'

/** What a hook inside a transaction is given. */
export interface HookContext<Metadata = TenantMetadata> {
  readonly tenant: Tenant<Metadata>
  /** Answers for the tenant's schema; what it does is part of the transaction, which it cannot end. */
  readonly db: TransactionDb
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
 * A hook that is given `db` runs inside a transaction: if it throws, or leaves a failed statement
 * behind, that is rolled back and the operation throws `HOOK_FAILED`. The others run after the
 * commit: if one throws, the operation is done and throws `HOOK_FAILED`. The error has the hook's
 * name as `option`, the schema, and what was thrown as `cause`.
 *
 * `beforeMigrate` and `afterMigrate` are called for new tenants, clones and undeleted tenants, and
 * by `migrations.up`, `down` and `redo` for each schema, of any kind, in which something is to be
 * done; there a failure is that schema's outcome only. Where a schema's migrations are several
 * transactions, the first hook is part of the first one and the other of the last one.
 */
export interface TenantHooks<Metadata = TenantMetadata> extends MigrateHooks<Metadata> {
  /** The row, the domains and the empty schema are there; also for a clone. */
  readonly beforeCreate?: TransactionHook<Metadata>
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

type TransactionHookName = 'beforeCreate' | 'afterCreate' | 'beforeDelete' | 'beforePurge'

/** In which transaction, and for whom, a hook runs. */
export interface HookPlace {
  readonly client: PoolClient
  readonly tenant: Tenant
  /** The text of the tenant's `search_path`. */
  readonly path: string
}

/**
 * Runs a hook inside the caller's transaction, on the tenant's path.
 *
 * @throws `HOOK_FAILED`
 */
export async function runHook(
  hooks: TenantHooks,
  name: TransactionHookName,
  { client, tenant, path }: HookPlace,
): Promise<void> {
  const hook = hooks[name]
  if (hook === undefined) return
  const spot = { client, path, schema: tenant.schema, tenant: tenant.slug }
  await runInTransaction(name, spot, (db) => hook({ tenant, db }))
}

/**
 * Runs a hook of the migration of a tenant that nobody is served yet, inside the caller's
 * transaction.
 *
 * @throws `HOOK_FAILED`
 */
export async function runMigrateHook(
  hooks: TenantHooks,
  turn: 'before' | 'after',
  { client, tenant, path }: HookPlace,
): Promise<void> {
  const schema = { schema: parseSchemaName(tenant.schema), kind: 'tenant', tenant } as const
  await unitHooks(hooks, { schema, path, direction: 'up' })?.[turn](client)
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
    const reason = reasonOf(error)
    throw new TenantryError(
      'HOOK_FAILED',
      `Tenant "${tenant.slug}" is ${name === 'afterDelete' ? 'deleted' : 'purged'}, and that ` +
        `stays so; but the hook ${name} failed: ${reason}. Do by hand what it had to do.`,
      { tenant: tenant.slug, schema: tenant.schema, option: `hooks.${name}`, cause: error },
    )
  }
}
