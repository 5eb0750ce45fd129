import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { sqlStateOf } from '../postgres/sql-state.js'
import type { Tenant, TenantMetadata } from '../registry/tenant.js'
import type { FleetSchema, SchemaKind } from '../selector/selector.js'
import { type TransactionDb, lendTransaction } from './unit/lent-transaction.js'
import { reasonOf } from '../support/is-error.js'

/** What a hook of a schema's migration is given. */
export interface MigrateHookContext<Metadata = TenantMetadata> {
  readonly schema: string
  readonly kind: SchemaKind
  /** Whose schema it is; there is none for the shared schema and static ones. */
  readonly tenant: Tenant<Metadata> | undefined
  /** `'down'` where migrations are taken back. */
  readonly direction: 'up' | 'down'
  /** Answers for the schema; what it does is part of the transaction, which it cannot end. */
  readonly db: TransactionDb
}

/** A hook of a schema's migration: what it throws fails that schema. */
export type MigrateHook<Metadata = TenantMetadata> = (
  context: MigrateHookContext<Metadata>,
) => Promise<unknown> | void

/** What a service does when a schema is migrated; see `TenantHooks`. */
export interface MigrateHooks<Metadata = TenantMetadata> {
  /**
   * The schema is about to be migrated: that of a new tenant, or one for which a run has something
   * to do.
   */
  readonly beforeMigrate?: MigrateHook<Metadata>
  /** The schema has been migrated; its ledger says so already. */
  readonly afterMigrate?: MigrateHook<Metadata>
}

/** The hooks of one schema's migration, for whoever runs it. */
export interface UnitHooks {
  /** @param kept What was committed before in this schema, by file names. */
  before(client: PoolClient, kept?: readonly string[]): Promise<void>
  after(client: PoolClient, kept?: readonly string[]): Promise<void>
}

/** What {@link unitHooks} is told. */
export interface HookedSchema {
  readonly schema: FleetSchema
  /** The text of the whole `search_path`. */
  readonly path: string
  readonly direction: MigrateHookContext['direction']
}

/** The hooks of one schema; `undefined` where the service has none for migrations. */
export function unitHooks(hooks: MigrateHooks, hooked: HookedSchema): UnitHooks | undefined {
  const { beforeMigrate, afterMigrate } = hooks
  if (beforeMigrate === undefined && afterMigrate === undefined) return undefined
  return {
    before: (client, kept) => run('beforeMigrate', beforeMigrate, { ...hooked, client, kept }),
    after: (client, kept) => run('afterMigrate', afterMigrate, { ...hooked, client, kept }),
  }
}

async function run(
  name: keyof MigrateHooks,
  hook: MigrateHook | undefined,
  { schema: fleet, path, direction, client, kept }: HookedSchema & HookCall,
): Promise<void> {
  if (hook === undefined) return
  const { schema, kind, tenant } = fleet
  const place = { client, path, schema, tenant: tenant?.slug, kept }
  await runInTransaction(name, place, (db) => hook({ schema, kind, tenant, direction, db }))
}

interface HookCall {
  readonly client: PoolClient
  readonly kept?: readonly string[] | undefined
}

/** Where a hook runs, and what its error says. */
export interface HookSpot extends HookCall {
  readonly path: string
  readonly schema: string
  /** Slug of the schema's owner. */
  readonly tenant?: string | undefined
}

/**
 * Runs a hook inside the caller's transaction, on the schema's path.
 *
 * @throws `HOOK_FAILED`
 */
export async function runInTransaction(
  hook: string,
  { client, path, schema, tenant, kept = [] }: HookSpot,
  work: (db: TransactionDb) => Promise<unknown> | void,
): Promise<void> {
  const facts = { schema, tenant, option: `hooks.${hook}` }
  try {
    await lendTransaction(client, { path, borrower: { name: `The hook ${hook}`, facts } }, work)
  } catch (error) {
    const reason = reasonOf(error)
    const rest = kept.length > 0 ? `, but ${kept.join(', ')} stays done` : ''
    throw new TenantryError(
      'HOOK_FAILED',
      `The hook ${hook} failed in schema "${schema}": ${reason}. Its transaction was rolled ` +
        `back${rest}. Correct the hook or what it met, and try again.`,
      { ...facts, sqlState: sqlStateOf(error), cause: error },
    )
  }
}
