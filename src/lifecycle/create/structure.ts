import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type SchemaLayout, pathOf } from '../../migration/layout.js'
import type { UnitHooks } from '../../migration/migrate-hooks.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { Migration } from '../../migration/source.js'
import { applyPending } from '../../migration/unit/unit.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import type { Slug } from '../../names/slug.js'
import type { SchemaKind } from '../../selector/selector.js'
import { SQL_STATE, sqlStateOf } from '../../postgres/sql-state.js'

/** A schema that nobody is served from, and the migrations that it is to have. */
export interface NewStructure {
  readonly schema: SchemaName
  /** @defaultValue `'tenant'` */
  readonly kind?: SchemaKind
  /** The owner, for migrations in code; a spare has none. */
  readonly slug?: Slug | undefined
  readonly migrations: readonly Migration[]
  /** Other schemas that the transaction has locked before. */
  readonly allow?: readonly SchemaName[] | undefined
  /** What the service does before and after what is pending; not called where nothing is. */
  readonly hooks?: UnitHooks | undefined
}

/** Applies what is pending in a schema that nobody is served from, in the caller's transaction. */
export async function migrateNew(
  client: PoolClient,
  layout: SchemaLayout,
  { schema, kind = 'tenant', slug, migrations, allow = [], hooks }: NewStructure,
): Promise<void> {
  await applyPending(client, {
    schema,
    path: pathOf(layout, schema, kind),
    migrations,
    createSchema: false,
    lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS,
    tenant: slug,
    hooks,
    guard: layout.guard && {
      allow: [...layout.guard.allow, ...allow],
      registry: layout.shared.schema,
    },
  })
}

/**
 * Makes a tenant's schema.
 *
 * @throws `SCHEMA_EXISTS`: a schema that is there already is never adopted.
 */
export async function createSchema(client: PoolClient, schema: SchemaName): Promise<void> {
  try {
    await client.query(`create schema ${quoteIdent(schema)}`)
  } catch (error) {
    if (!isSchemaTaken(error)) throw error
    throw new TenantryError(
      'SCHEMA_EXISTS',
      `Schema "${schema}" exists already and belongs to no tenant. It is not adopted: ` +
        'rename or drop it, or choose another slug. router.tenants.audit() says what is known of it.',
      { schema, cause: error },
    )
  }
}

/** Of two who make a schema at once, the second one meets the first one's entry in the catalog. */
export function isSchemaTaken(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === SQL_STATE.duplicateSchema || state === SQL_STATE.uniqueViolation
}
