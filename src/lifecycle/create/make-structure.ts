import type { PoolClient } from 'pg'
import type { SchemaLayout } from '../../migration/layout.js'
import type { SchemaName } from '../../names/schema-name.js'
import { type HookPlace, type TenantHooks, runHook, runMigrateHook } from '../hooks.js'
import type { SpareOffer } from '../spare/claim-spare.js'
import { type NewStructure, createSchema, migrateNew } from './structure.js'

interface StructureParts {
  readonly layout: SchemaLayout
  readonly hooks: TenantHooks
}

interface Structure extends Omit<NewStructure, 'allow'> {
  readonly spare?: SpareOffer | undefined
  /** Other schemas that the transaction has locked before. */
  readonly locked?: readonly SchemaName[] | undefined
}

/**
 * Makes the schema of a tenant that is being created, with all its migrations: from a spare where
 * one fits, and else from nothing.
 *
 * Hooks that come before the migrations are promised an empty schema. One that puts something into
 * it, or changes who may use it, makes the schema another one than a spare could be.
 */
export async function makeStructure(
  { layout, hooks }: StructureParts,
  place: HookPlace,
  { schema, slug, migrations, spare, locked }: Structure,
): Promise<void> {
  const { client } = place
  const hasEarlyHook = hooks.beforeCreate !== undefined || hooks.beforeMigrate !== undefined
  if (!hasEarlyHook && (await spare?.become(client, { schema, isMade: false }))) return
  await createSchema(client, schema)
  await runHook(hooks, 'beforeCreate', place)
  await runMigrateHook(hooks, 'before', place)
  if (hasEarlyHook && spare && (await isUntouched(client, schema))) {
    if (await spare.become(client, { schema, isMade: true })) return
  }
  await migrateNew(client, layout, { schema, slug, migrations, allow: locked })
}

/** Whether a schema is as `create schema` has made it: whatever is in it depends on it. */
async function isUntouched(client: PoolClient, schema: SchemaName): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_catalog.pg_namespace n
     where n.nspname = $1 and n.nspacl is null and n.nspowner = current_user::regrole
       and obj_description(n.oid, 'pg_namespace') is null
       and not exists (select from pg_catalog.pg_depend d
         where d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid)`,
    [schema],
  )
  return rows.length > 0
}
