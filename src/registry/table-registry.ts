import type { QueryResultRow } from 'pg'
import { TenantryError } from '../errors.js'
import { type SchemaName, quoteLiteral } from '../names/schema-name.js'
import { lockKey } from '../postgres/advisory-lock.js'
import type { Queryable } from '../postgres/queryable.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'
import type { DomainMatch, NewTenant, TenantFilter, TenantRegistry } from './registry.js'
import { REGISTRY_NOTE, registryDdl, registryTables } from './table-ddl.js'
import { type Domain, TENANT_STATUSES, type Tenant } from './tenant.js'

interface TenantRow extends QueryResultRow, Tenant {}
interface DomainRow extends QueryResultRow, Domain {}

const TENANT_COLUMNS = `t.id, t.slug, t.name, t.schema, t.status, t.metadata, t.created_at as "createdAt"`
const DOMAIN_COLUMNS = `t.slug as tenant, d.host, d.path, d.is_primary as primary`

type TenantPart = Pick<TenantRegistry, 'install' | 'findBySlug' | 'list' | 'insert' | 'setStatus'>
type DomainPart = Omit<TenantRegistry, keyof TenantPart>

/** The registry in the package's own two tables in the shared schema. */
export function tableRegistry(shared: SchemaName): TenantRegistry {
  return { ...tenantPart(shared), ...domainPart(shared) }
}

function tenantPart(shared: SchemaName): TenantPart {
  const { tenants } = registryTables(shared)
  return {
    async install(db) {
      if (await isInstalled(db, tenants)) return
      // One text is one transaction; the lock keeps concurrent installers from colliding.
      const key = quoteLiteral(lockKey('registry', shared))
      await db.query(`select pg_advisory_xact_lock(${key}); ${registryDdl(shared)}`)
    },

    async findBySlug(db, slug) {
      const text = `select ${TENANT_COLUMNS} from ${tenants} t where t.slug = $1`
      return (await rowsIfInstalled<TenantRow>(db, text, [slug]))[0]
    },

    list: (db, filter) =>
      rowsIfInstalled<TenantRow>(
        db,
        `select ${TENANT_COLUMNS} from ${tenants} t
         where t.status = any ($1) order by t.schema collate "C"`,
        [statuses(filter)],
      ),

    async insert(db, tenant) {
      const { rows } = await db
        .query<TenantRow>(
          `insert into ${tenants} as t (slug, name, schema, metadata)
           values ($1, $2, $3, $4) returning ${TENANT_COLUMNS}`,
          [tenant.slug, tenant.name, tenant.schema, tenant.metadata],
        )
        .catch((error: unknown) => rethrow(error, () => tenantExists(tenant)))
      return only(rows)
    },

    async setStatus(db, slug, status) {
      const text = `update ${tenants} t set status = $2, updated_at = now()
                    where t.slug = $1 returning ${TENANT_COLUMNS}`
      return (await rowsIfInstalled<TenantRow>(db, text, [slug, status]))[0]
    },
  }
}

function domainPart(shared: SchemaName): DomainPart {
  const { tenants, domains } = registryTables(shared)
  return {
    async addDomain(db, slug, { host, path }, primary) {
      await db
        .query(
          `insert into ${domains} (host, path, tenant_id, is_primary)
           select $2, $3, t.id, $4 from ${tenants} t where t.slug = $1`,
          [slug, host, path, primary],
        )
        .catch((error: unknown) => rethrow(error, () => domainTaken(host + path)))
      return { tenant: slug, host, path, primary }
    },

    domainsOf: (db, slug) =>
      rowsIfInstalled<DomainRow>(
        db,
        `select ${DOMAIN_COLUMNS} from ${domains} d join ${tenants} t on t.id = d.tenant_id
         where t.slug = $1 order by d.is_primary desc, d.host, d.path`,
        [slug],
      ),

    async domainsOfHost(db, host) {
      const rows = await rowsIfInstalled<TenantRow & DomainRow>(
        db,
        `select ${TENANT_COLUMNS}, ${DOMAIN_COLUMNS}
         from ${domains} d join ${tenants} t on t.id = d.tenant_id where d.host = $1`,
        [host],
      )
      return rows.map(matchOf)
    },

    async tenantsOfDomains(db, asked) {
      const rows = await rowsIfInstalled<TenantRow & DomainRow>(
        db,
        `select ${TENANT_COLUMNS}, ${DOMAIN_COLUMNS}
         from ${domains} d join ${tenants} t on t.id = d.tenant_id
         where (d.host, d.path) in (select * from unnest($1::text[], $2::text[]))`,
        [asked.map(({ host }) => host), asked.map(({ path }) => path)],
      )
      return rows.map(matchOf)
    },
  }
}

function matchOf({ tenant, host, path, primary, ...row }: TenantRow & DomainRow): DomainMatch {
  return { tenant: row, domain: { tenant, host, path, primary } }
}

/**
 * Making the tables again would change nothing, but it needs the right to create schemas, and its
 * locks wait for every tenant that is being created.
 */
async function isInstalled(db: Queryable, table: string): Promise<boolean> {
  const { rows } = await db.query<{ note: string | null }>(
    `select obj_description(to_regclass($1), 'pg_class') as note`,
    [table],
  )
  return rows[0]?.note === REGISTRY_NOTE
}

/** A database in which nothing was installed yet has no tenants; reading it writes nothing. */
async function rowsIfInstalled<R extends QueryResultRow>(
  db: Queryable,
  text: string,
  values: readonly unknown[],
): Promise<readonly R[]> {
  try {
    return (await db.query<R>(text, values)).rows
  } catch (error) {
    if (sqlStateOf(error) === SQL_STATE.undefinedTable) return []
    throw error
  }
}

function statuses(filter: TenantFilter = {}): readonly string[] {
  const { status } = filter
  if (status === undefined) return TENANT_STATUSES.filter((known) => known !== 'deleted')
  return typeof status === 'string' ? [status] : status
}

function only<R>(rows: readonly R[]): R {
  const [row] = rows
  if (row === undefined) throw new TypeError('The statement returned no row.')
  return row
}

function rethrow(error: unknown, explain: () => TenantryError): never {
  if (sqlStateOf(error) !== SQL_STATE.uniqueViolation) throw error
  const explained = explain()
  explained.cause = error
  throw explained
}

function tenantExists({ slug, schema }: NewTenant): TenantryError {
  return new TenantryError(
    'TENANT_EXISTS',
    `A tenant with the slug "${slug}" or the schema "${schema}" exists already. ` +
      'Choose another slug; a deleted tenant keeps its slug until it is purged.',
    { tenant: slug, schema },
  )
}

function domainTaken(domain: string): TenantryError {
  return new TenantryError(
    'DOMAIN_TAKEN',
    `The domain "${domain}" leads to a tenant already, or the tenant has a primary domain. ` +
      'Remove it there first.',
    { domain },
  )
}
