import type { PoolClient } from 'pg'
import { readLedger } from '../../migration/unit/enter.js'
import { pathOf } from '../../migration/layout.js'
import { pendingMigrations } from '../../migration/plan.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import type { Migration } from '../../migration/source.js'
import type { SchemaName } from '../../names/schema-name.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import { listOf, optionInvalid, wholeNumber } from '../../support/options.js'
import { type CreateTenant, type LifecycleParts, provision, validOrder } from '../create/create.js'
import { findSourceTenant } from '../source-tenant.js'
import { requireSameStructure } from './compare.js'
import { type CopyChoice, copyData } from './copy-data.js'
import { requireUnmoved } from '../unmoved.js'
import { onSnapshot } from '../rows/source-snapshot.js'

/** What is copied of a tenant, and how. */
export interface CloneOptions {
  /**
   * `true`: the rows of all tables; `false`: the structure alone, with what the migrations
   * themselves put in; a list: the rows of those tables.
   *
   * @defaultValue `true`
   */
  readonly data?: boolean | readonly string[]
  /**
   * How long to wait for migrations of the source, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
}

/** The source of a clone, as it was looked up before the transaction. */
interface Source {
  readonly slug: Slug
  readonly schema: SchemaName
  readonly migrations: readonly Migration[]
  /** A schema that was made elsewhere may have none. */
  readonly hasLedger: boolean
}

/** Makes a tenant like another one, in one transaction. See `Tenants.clone`. */
export async function cloneTenant(
  parts: LifecycleParts,
  { from, tenant }: { readonly from: string; readonly tenant: CreateTenant<unknown> },
  options: CloneOptions,
): Promise<Tenant> {
  const { layout, db } = parts
  const lockTimeoutMs = wholeNumber(
    'lockTimeout',
    options.lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS,
    1,
  )
  const choice = choiceOf(options)
  const order = await validOrder(parts, tenant)
  const source = await findSource(parts, parseSlug(from))
  await parts.registry.install(db)
  return onSnapshot(db, { ...source, lockTimeoutMs }, async (client) => {
    await requireUnmoved(parts.registry, client, { ...source, change: 'clone' })
    const { schema } = order.row
    const way = {
      source: source.schema,
      copy: schema,
      path: pathOf(layout, schema, 'tenant'),
    }
    return provision(parts, client, {
      order,
      migrations: await appliedTo(client, source),
      locked: [source.schema],
      fill: async () => {
        await requireSameStructure(client, way)
        await copyData(client, way, choice)
        await requireSameStructure(client, way)
      },
    })
  })
}

function choiceOf({ data = true }: CloneOptions): CopyChoice {
  return typeof data === 'boolean' ? data : listOf('data', data)
}

async function findSource(parts: LifecycleParts, slug: Slug): Promise<Source> {
  const { schema, isBridged, migrations, applied } = await findSourceTenant(parts, slug, 'clone')
  if (isBridged) {
    throw optionInvalid(
      'migrations',
      'Tenants that another tool migrates cannot be cloned: it decides by itself up to where it ' +
        'goes. Create a tenant and copy the data.',
    )
  }
  return { slug, schema, migrations, hasLedger: applied.length > 0 }
}

/** The migrations that the source has had: the copy gets no more, and no fewer. */
async function appliedTo(
  client: PoolClient,
  { schema, migrations, hasLedger }: Source,
): Promise<readonly Migration[]> {
  if (!hasLedger) return []
  const applied = await readLedger(client, schema)
  pendingMigrations(schema, migrations, applied)
  const had = new Set(applied.map(({ id }) => id))
  return migrations.filter(({ id }) => id === 0 || had.has(id))
}
