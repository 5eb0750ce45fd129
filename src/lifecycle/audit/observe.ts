import type { PoolClient } from 'pg'
import { FINGERPRINT_TAG } from '../../migration/fingerprint.js'
import { type SchemaName, quoteLiteral } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import type { Database } from '../../postgres/database.js'
import type { ListedDomain, TenantRegistry } from '../../registry/registry.js'
import { TENANT_STATUSES, type Tenant } from '../../registry/tenant.js'
import { type SchemaMark, markIn } from '../schema-mark.js'
import { readSpares } from '../spare/table.js'

/** A schema of the database, as an audit sees it. */
export interface SeenSchema {
  readonly name: string
  readonly mark: SchemaMark | undefined
  /** Whether it has had migrations of the package. */
  readonly hasLedger: boolean
}

/** What the registry and the database say at one moment. */
export interface Observed {
  /** Of every status. */
  readonly tenants: readonly Tenant[]
  /** Empty where the registry cannot list them. */
  readonly domains: readonly ListedDomain[]
  readonly schemas: readonly SeenSchema[]
  /** Schemas that are kept ready for new tenants. */
  readonly spares: readonly string[]
  /** The keys of advisory locks that somebody has. */
  readonly heldKeys: ReadonlySet<string>
}

/**
 * Looks at registry and database at one moment, so that a tenant that is being created meanwhile is
 * either there with everything or not at all. The number of queries is the same for any fleet.
 */
export function observeFleet(
  db: Database,
  registry: TenantRegistry,
  shared: SchemaName,
): Promise<Observed> {
  return db.transaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    return {
      tenants: await apart(client, () => registry.list(client, { status: TENANT_STATUSES })),
      domains: await apart(client, async () => (await registry.listDomains?.(client)) ?? []),
      schemas: await readSchemas(client),
      spares: (await readSpares(client, shared)).map(({ schema }) => schema),
      heldKeys: await readHeldKeys(client),
    }
  })
}

/** A registry may meet a database in which nothing is installed; that must not fail the rest. */
async function apart<R>(client: PoolClient, read: () => Promise<R>): Promise<R> {
  await client.query('savepoint registry')
  const answer = await read()
  await client.query('rollback to registry')
  return answer
}

async function readSchemas(client: PoolClient): Promise<readonly SeenSchema[]> {
  const { rows } = await client.query<{
    name: string
    comment: string | null
    ledger: string | null
  }>(
    `select n.nspname as name, obj_description(n.oid, 'pg_namespace') as comment,
       ${yesIf(`starts_with(obj_description(c.oid, 'pg_class'), ${quoteLiteral(FINGERPRINT_TAG)})`)} as ledger
     from pg_catalog.pg_namespace n
     left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'migrations'
       and c.relkind = 'r'
     where n.nspname <> 'information_schema' and not starts_with(n.nspname, 'pg_')
     order by n.nspname collate "C"`,
  )
  return rows.map(({ name, comment, ledger }) => ({
    name,
    mark: markIn(comment),
    hasLedger: isYes(ledger),
  }))
}

/** An advisory lock with one key of 64 bits shows its halves. */
async function readHeldKeys(client: PoolClient): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ key: string }>(
    `select distinct ((classid::bigint << 32) | objid::bigint)::text as key
     from pg_catalog.pg_locks
     where locktype = 'advisory' and objsubid = 1 and granted
       and database = (select oid from pg_catalog.pg_database where datname = current_database())`,
  )
  return new Set(rows.map(({ key }) => key))
}
