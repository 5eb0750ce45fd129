import type { SchemaName } from '../../names/schema-name.js'
import type { Queryable } from '../../postgres/queryable.js'
import { present } from '../../support/present.js'
import { HOST_PAYLOAD, REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { TenantRegistry } from '../registry.js'
import { rethrow, tenantExists } from '../taken.js'
import type { Tenant } from '../tenant.js'
import { registryTables } from './table-names.js'
import { TENANT_COLUMNS, type TenantRow, rowsIfInstalled, tenantOf } from './table-row.js'

/** What of a registry writes tenants. */
export type TenantWrites = Pick<
  TenantRegistry,
  'insert' | 'update' | 'rename' | 'setStatus' | 'remove'
>

/** Writes to the registry's own table; each announces itself in its own statement. */
export function tableTenantWrites(shared: SchemaName): TenantWrites {
  return { ...tenantRows(shared), ...tenantChanges(shared) }
}

const NOTIFY = `pg_notify('${REGISTRY_CHANGE_CHANNEL}',`
// Under the former slug too, where it has changed; PostgreSQL sends equal payloads once.
const ANNOUNCED = `select ${TENANT_COLUMNS}, ${NOTIFY} t.slug), ${NOTIFY} $1) from changed t`

function tenantRows(shared: SchemaName): Pick<TenantWrites, 'insert' | 'remove'> {
  const { tenants, domains } = registryTables(shared)
  return {
    async insert(db, tenant) {
      const { rows } = await db
        .query<TenantRow>(
          `with changed as (
             insert into ${tenants} as t (slug, name, schema, metadata)
             values ($1, $2, $3, $4) returning t.*)
           ${ANNOUNCED}`,
          [tenant.slug, tenant.name, tenant.schema, tenant.metadata],
        )
        .catch((error: unknown) => rethrow(error, () => tenantExists(tenant)))
      return present(rows.map(tenantOf)[0])
    },

    async remove(db, slug) {
      // Both parts of the statement see the domains as they were before.
      const rows = await rowsIfInstalled(
        db,
        `with gone as (delete from ${tenants} t where t.slug = $1 returning t.id, t.slug),
           payloads as (
             select slug as payload from gone
             union select '${HOST_PAYLOAD}' || d.host from ${domains} d join gone on d.tenant_id = gone.id)
         select ${NOTIFY} payload) from payloads`,
        [slug],
      )
      return rows.length > 0
    },
  }
}

function tenantChanges(shared: SchemaName): Pick<TenantWrites, 'update' | 'rename' | 'setStatus'> {
  const { tenants } = registryTables(shared)
  const change = async (
    db: Queryable,
    set: string,
    values: readonly unknown[],
  ): Promise<Tenant | undefined> => {
    const text = `with changed as (
        update ${tenants} t set ${set}, updated_at = now() where t.slug = $1 returning t.*)
      ${ANNOUNCED}`
    return tenantOf((await rowsIfInstalled<TenantRow>(db, text, values))[0])
  }
  return {
    update: (db, slug, { name, metadata }) =>
      change(db, 'name = coalesce($2, name), metadata = coalesce($3, metadata)', [
        slug,
        name ?? null,
        metadata ?? null,
      ]),

    rename: (db, slug, names) =>
      change(db, 'slug = coalesce($2, slug), schema = coalesce($3, schema)', [
        slug,
        names.slug ?? null,
        names.schema ?? null,
      ]).catch((error: unknown) =>
        rethrow(error, () => tenantExists({ slug: names.slug ?? slug, schema: names.schema })),
      ),

    setStatus: (db, slug, status) => change(db, 'status = $2', [slug, status]),
  }
}
