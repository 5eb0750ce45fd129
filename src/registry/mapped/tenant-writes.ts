import type { Queryable } from '../../postgres/queryable.js'
import { HOST_PAYLOAD, REGISTRY_CHANGE_CHANNEL } from '../change.js'
import type { NewTenant, TenantNames, TenantRegistry } from '../registry.js'
import { rethrow, tenantExists } from '../taken.js'
import type { Tenant, TenantStatus } from '../tenant.js'
import { quoteIdent } from '../../names/schema-name.js'
import { type MappedRow, tenantColumns, tenantOfRow } from './mapped-row.js'
import type { Mapping } from './mapping.js'
import { Parameters } from './parameters.js'
import { mappedTenantReads } from './tenant-reads.js'
import { noColumn, unsupported } from './unsupported.js'
import { present } from '../../support/present.js'

type TenantWrites = Pick<TenantRegistry, 'insert' | 'update' | 'rename' | 'setStatus' | 'remove'>

const NOTIFY = `pg_notify('${REGISTRY_CHANGE_CHANNEL}',`

/** Writes to the service's table; each announces itself in its own statement. */
export function mappedTenantWrites(mapping: Mapping): TenantWrites {
  return { insert: insertOf(mapping), remove: removeOf(mapping), ...changesOf(mapping) }
}

function insertOf(mapping: Mapping): TenantWrites['insert'] {
  const { quoted } = mapping.tenants
  return async (db, tenant) => {
    const row = rowFor(mapping, tenant)
    const parameters = new Parameters(tenant.slug)
    const values = [...row.values()].map((value) => parameters.add(value))
    const text = `with changed as (
        insert into ${quoted} as t (${[...row.keys()].join(', ')})
        values (${values.join(', ')}) returning t.*)
      ${announced(mapping)}`
    const { rows } = await db
      .query<MappedRow>(text, parameters.values)
      .catch((error: unknown) => rethrow(error, () => tenantExists(tenant)))
    return tenantOfRow(mapping, present(rows[0]))
  }
}

/** The values of a new row, by quoted column. */
function rowFor(mapping: Mapping, tenant: NewTenant): ReadonlyMap<string, unknown> {
  const { tenants, statuses, values } = mapping
  const row = new Map<string, unknown>()
  for (const [name, value] of Object.entries(values(tenant))) row.set(quoteIdent(name), value)
  const put = (name: string, value: unknown): boolean => {
    const column = tenants.column(name)
    if (column !== undefined) row.set(column, value)
    return column !== undefined
  }
  put('slug', tenant.slug)
  if (!put('schema', tenant.schema)) requirePrefix(mapping, tenant)
  if (!put('name', tenant.name) && tenant.name !== tenant.slug) {
    throw noColumn('columns.name', 'a name beside the slug')
  }
  if (!put('metadata', tenant.metadata) && Object.keys(tenant.metadata).length > 0) {
    throw noColumn('columns.metadata', 'metadata')
  }
  if (tenants.column('status') !== undefined) put('status', statuses.write('active'))
  return row
}

function requirePrefix(
  { schemaPrefix = '' }: Mapping,
  { slug, schema }: Required<TenantNames>,
): void {
  if (schema === schemaPrefix + slug) return
  throw unsupported(
    'schemaPrefix',
    `Without "columns.schema" the schema of "${slug}" can only be "${schemaPrefix + slug}", not ` +
      `"${schema}". Give slug and schema that belong together, or map a column.`,
  )
}

function removeOf({ tenants, domains }: Mapping): TenantWrites['remove'] {
  const [id, slug] = [tenants.column('id'), tenants.column('slug')]
  const led =
    domains &&
    `delete from ${domains.quoted} d using ${tenants.quoted} t
     where d.${domains.column('tenant')} = t.${id} and t.${slug} = $1
     returning d.${domains.column('host')}::text as host`
  const text = `with ${led === undefined ? '' : `led as (${led}),`}
      gone as (delete from ${tenants.quoted} t where t.${slug} = $1 returning t.${slug}::text as slug),
      payloads as (select slug as payload from gone
        ${led === undefined ? '' : `union select '${HOST_PAYLOAD}' || host from led`})
    select ${NOTIFY} payload) from payloads`
  return async (db, tenant) => (await db.query(text, [tenant])).rows.length > 0
}

function changesOf(mapping: Mapping): Pick<TenantWrites, 'update' | 'rename' | 'setStatus'> {
  const { findBySlug } = mappedTenantReads(mapping)
  const change = async (
    db: Queryable,
    slug: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<Tenant | undefined> => {
    const parameters = new Parameters(slug)
    const sets = Object.entries(values).map(
      ([name, value]) => `${mapping.tenants.column(name)} = ${parameters.add(value)}`,
    )
    const [row] = (await db.query<MappedRow>(updateText(mapping, sets), parameters.values)).rows
    return row && tenantOfRow(mapping, row)
  }
  return {
    async update(db, slug, changes) {
      for (const name of ['name', 'metadata'] as const) {
        if (changes[name] === undefined || mapping.tenants.columns.has(name)) continue
        throw noColumn(`columns.${name}`, name === 'name' ? 'a name beside the slug' : 'metadata')
      }
      const given = Object.entries(changes).filter(([, value]) => value !== undefined)
      return given.length === 0 ? findBySlug(db, slug) : change(db, slug, Object.fromEntries(given))
    },

    rename: async (db, slug, names) =>
      change(db, slug, namesFor(mapping, slug, names)).catch((error: unknown) =>
        rethrow(error, () => tenantExists({ slug: names.slug ?? slug, schema: names.schema })),
      ),

    setStatus: async (db, slug, status) => {
      const isMapped = mapping.tenants.columns.has('status')
      if (!isMapped) return status === 'active' ? findBySlug(db, slug) : noStatusColumn(status)
      return change(db, slug, { status: mapping.statuses.write(status) })
    },
  }
}

function noStatusColumn(status: TenantStatus): never {
  throw noColumn('columns.status', `the status "${status}"`)
}

function namesFor(
  mapping: Mapping,
  slug: NewTenant['slug'],
  names: TenantNames,
): Readonly<Record<string, unknown>> {
  const isMapped = mapping.tenants.columns.has('schema')
  const after = names.slug ?? slug
  if (!isMapped) {
    const before = `${mapping.schemaPrefix}${slug}`
    const schema = names.schema ?? before
    if (schema !== `${mapping.schemaPrefix}${after}`) {
      throw unsupported(
        'schemaPrefix',
        `Without "columns.schema" slug and schema are renamed together: "${after}" goes with ` +
          `"${mapping.schemaPrefix}${after}". Give both, or map a column.`,
      )
    }
  }
  return { slug: after, ...(isMapped && names.schema !== undefined && { schema: names.schema }) }
}

function updateText(mapping: Mapping, sets: readonly string[]): string {
  const { quoted, column } = mapping.tenants
  const updatedAt = column('updatedAt')
  const all = updatedAt === undefined ? sets : [...sets, `${updatedAt} = now()`]
  return `with changed as (
      update ${quoted} t set ${all.join(', ')} where t.${column('slug')} = $1 returning t.*)
    ${announced(mapping)}`
}

/** Under the former slug too, where it has changed; PostgreSQL sends equal payloads once. */
function announced(mapping: Mapping): string {
  const slug = `t.${mapping.tenants.column('slug')}::text`
  return `select ${tenantColumns(mapping)}, ${NOTIFY} ${slug}), ${NOTIFY} $1::text) from changed t`
}
