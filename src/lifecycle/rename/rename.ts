import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import type { TenantNames } from '../../registry/registry.js'
import type { Tenant } from '../../registry/tenant.js'
import { firstFew } from '../../support/first-few.js'
import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { type Renaming, placesOfFormerName, repairRoutinePaths } from './name-in-text.js'
import { tenantNotFound } from '../not-found.js'
import { renameSchema } from './rename-schema.js'
import { requireNoPurge } from '../schema-mark.js'
import { atStandstill, schemaMissing } from '../standstill.js'
import { requireFreeSchema } from '../create/free-schema.js'

/** What a tenant is to be called; at least one of both. */
export interface RenameTenant {
  /** The new stable key. The schema keeps its name unless `schema` is given too. */
  readonly slug?: string
  /** The new name of the schema. */
  readonly schema?: string
}

/** How a tenant is renamed. */
export interface RenameOptions {
  /**
   * How long to wait for transactions of running scopes, and for migrations, in milliseconds; new
   * scopes of the tenant wait as well.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /**
   * Renames the schema although its former name stands in texts, which will be wrong then.
   *
   * @defaultValue `false`
   */
  readonly force?: boolean
}

/** Gives a tenant a new slug, its schema a new name, or both. See `Tenants.rename`. */
export async function renameTenant(
  parts: LifecycleParts,
  input: string,
  { names, options }: { readonly names: RenameTenant; readonly options: RenameOptions },
): Promise<Tenant> {
  const { registry, db } = parts
  const slug = parseSlug(input)
  const to = parseNames(parts, names)
  const lockTimeoutMs = wholeNumber(
    'lockTimeout',
    options.lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS,
    1,
  )
  const before = (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  const from = parseSchemaName(before.schema)
  const { schema } = to
  if (schema === undefined || schema === from) {
    return (await registry.rename(db, slug, to)) ?? tenantNotFound(slug)
  }
  return atStandstill(db, { schema: from, also: schema, lockTimeoutMs }, async (client) => {
    const renaming = { from, to: schema }
    const tenant = await renameRow(parts, client, { slug, to, from })
    await requireNoPurge(client, from)
    await renameSchema(client, renaming)
    await repairRoutinePaths(client, renaming)
    const places = options.force === true ? [] : await placesOfFormerName(client, renaming)
    if (places.length > 0) throw unsafe(slug, renaming, places)
    return tenant
  })
}

function parseNames({ layout }: LifecycleParts, { slug, schema }: RenameTenant): TenantNames {
  if (slug === undefined && schema === undefined) {
    throw optionInvalid('slug', 'Give the new "slug", the new "schema", or both.')
  }
  return {
    ...(slug !== undefined && { slug: parseSlug(slug) }),
    ...(schema !== undefined && { schema: requireFreeSchema(layout, parseSchemaName(schema)) }),
  }
}

/** The row was read before the schema was locked; somebody else may have renamed it meanwhile. */
async function renameRow(
  { registry }: LifecycleParts,
  client: PoolClient,
  { slug, to, from }: { readonly slug: Slug; readonly to: TenantNames; readonly from: SchemaName },
): Promise<Tenant> {
  const now = (await registry.findBySlug(client, slug)) ?? tenantNotFound(slug)
  if (now.schema !== from) throw schemaMissing(from)
  return (await registry.rename(client, slug, to)) ?? tenantNotFound(slug)
}

function unsafe(tenant: Slug, { from, to }: Renaming, places: readonly string[]): TenantryError {
  return new TenantryError(
    'RENAME_UNSAFE',
    `Schema "${from}" was not renamed to "${to}", because texts that PostgreSQL does not rewrite ` +
      `have the name in them: ${firstFew(places, '; ')}. Take the name out of them by a migration, or rename ` +
      'with { force: true } and correct them afterwards.',
    { tenant, schema: from, candidates: places },
  )
}
