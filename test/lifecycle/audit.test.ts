import { AUDIT_KINDS, type AuditFinding, type AuditKind, SchemaRouter, type Tenant } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { tableRegistry } from '../../src/registry/table/table-registry.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = { '1_create_loans.sql': 'create table loans (id int)' }

async function setUp(): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants: LOANS })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
  return fleet
}

const run = ({ prefix, shared }: Fleet, sql: string): Promise<unknown> =>
  database.admin.query(sql.replaceAll('NAME', prefix).replaceAll('SHARED', shared))

/** What is found about this fleet: the other tests of the file have left schemas as well. */
async function findingsOf({ router, prefix, shared }: Fleet): Promise<readonly AuditFinding[]> {
  const { findings } = await router.tenants.audit()
  const isOurs = (name: string): boolean =>
    name.toLowerCase().startsWith(prefix) || name === shared || name === `main_${prefix}`
  return findings.filter(({ kind, schema = prefix, names = [] }) =>
    kind === 'ledger-without-tenant'
      ? schema.startsWith(`free_${prefix}`)
      : isOurs(schema) && (schema !== prefix || names.length === 0 || names.some(isOurs)),
  )
}

/** Something that is awaited until it is opened. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

describe('tenants.audit', () => {
  it('finds nothing where each tenant has its schema', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.create({ slug: 'beta' })
    await fleet.router.tenants.suspend('beta')
    expect(await findingsOf(fleet)).toEqual([])
  })

  it('finds nothing where nothing is installed yet, and installs nothing', async () => {
    const fleet = await openFleet(database, migrations, { tenants: LOANS })
    expect(await findingsOf(fleet)).toEqual([])
    expect(await fleet.schemaExists(fleet.shared)).toBe(false)
  })

  it('finds a schema with the prefix of tenants that is none’s, and does not adopt it', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await run(fleet, 'create schema NAMElost')
    const schema = `${prefix}lost`
    expect(await findingsOf(fleet)).toEqual([
      {
        kind: 'schema-without-tenant',
        schema,
        message: `The schema "${schema}" belongs to no tenant.`,
        repair: expect.stringContaining(`drop schema "${schema}" cascade`) as unknown,
      },
    ])
    await expect(router.tenants.create({ slug: 'lost' })).rejects.toMatchObject({
      code: 'SCHEMA_EXISTS',
      schema,
      message: expect.stringContaining('audit()') as unknown,
    })
    expect(await router.tenants.find('lost')).toBeUndefined()
  })

  it('says how to make such a schema a tenant’s', async () => {
    const fleet = await setUp()
    await run(fleet, 'create schema NAMElost')
    const schemas = await migrations.fleet(fleet.prefix, { tenants: LOANS })
    const adopting = new SchemaRouter({
      pool: database.pool(),
      schemas: { ...schemas, tenants: { ...schemas.tenants, autoCreateSchema: false } },
    })
    const [found] = await findingsOf(fleet)
    expect(found?.repair).toContain('autoCreateSchema: false')
    await adopting.tenants.create({ slug: 'lost' })
    expect(await findingsOf(fleet)).toEqual([])
  })

  it('finds a schema with migrations of the package that has no place in the service', async () => {
    const fleet = await setUp()
    const name = `free_${fleet.prefix}`
    await run(fleet, `alter schema NAMEacme rename to ${name}`)
    const found = await findingsOf(fleet)
    expect(found).toMatchObject([
      { kind: 'tenant-without-schema', tenant: 'acme', status: 'active' },
      { kind: 'ledger-without-tenant', schema: name },
    ])
  })

  it('finds a tenant without its schema, which a scope and a migration refuse', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await run(fleet, 'drop schema NAMEacme cascade')
    expect(await findingsOf(fleet)).toMatchObject([
      {
        kind: 'tenant-without-schema',
        tenant: 'acme',
        schema: `${prefix}acme`,
        repair: expect.stringContaining(`tenants.delete('acme')`) as unknown,
      },
    ])
    const missing = { code: 'SCHEMA_MISSING', schema: `${prefix}acme` }
    await expect(router.withTenant('acme', (db) => db.query('select 1'))).rejects.toMatchObject(
      missing,
    )
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
    })
    await router.tenants.delete('acme')
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'tenant-without-schema', status: 'deleted' },
    ])
    await router.tenants.purge('acme', { confirm: 'acme' })
    expect(await findingsOf(fleet)).toEqual([])
  })

  it('finds a deleted tenant whose schema is kept, and since when', async () => {
    const fleet = await setUp()
    const { router } = fleet
    const before = new Date()
    await router.tenants.delete('acme')
    const [found, ...more] = await findingsOf(fleet)
    expect(found).toMatchObject({ kind: 'tenant-deleted', tenant: 'acme', status: 'deleted' })
    expect(found?.since?.getTime()).toBeGreaterThanOrEqual(before.getTime())
    expect(more).toEqual([])
    await router.tenants.undelete('acme')
    expect(await findingsOf(fleet)).toEqual([])
  })

  it('finds a purge that did not come to its end, whatever the row says', async () => {
    const fleet = await setUp()
    const { router } = fleet
    await run(fleet, `comment on schema NAMEacme is 'tenantry: purging 2026-01-02T03:04:05.000Z'`)
    expect(await findingsOf(fleet)).toMatchObject([
      {
        kind: 'purge-unfinished',
        tenant: 'acme',
        since: new Date('2026-01-02T03:04:05.000Z'),
        repair: expect.stringContaining('restore the schema by tenants.restore(') as unknown,
      },
    ])
    await router.tenants.delete('acme')
    await run(fleet, `comment on schema NAMEacme is 'tenantry: purging 2026-01-02T03:04:05.000Z'`)
    expect(await findingsOf(fleet)).toMatchObject([{ kind: 'purge-unfinished', status: 'deleted' }])
  })

  it('finds a mark on the schema of a tenant that is served', async () => {
    const fleet = await setUp()
    await run(fleet, `comment on schema NAMEacme is 'tenantry: deleted 2026-01-02T03:04:05.000Z'`)
    expect(await findingsOf(fleet)).toMatchObject([{ kind: 'mark-contradicts', tenant: 'acme' }])
  })

  it('finds a tenant that waits for its schema, and one that waits to be activated', async () => {
    const fleet = await openFleet(database, migrations, {}, { autoCreateSchema: false })
    const { router } = fleet
    await router.tenants.create({ slug: 'late' })
    const waiting = { kind: 'tenant-provisioning', tenant: 'late', status: 'provisioning' }
    const say = (repair: string): object => ({
      ...waiting,
      repair: expect.stringContaining(repair) as unknown,
    })
    expect(await findingsOf(fleet)).toMatchObject([say('Have the schema made')])
    await run(fleet, 'create schema NAMElate')
    expect(await findingsOf(fleet)).toMatchObject([say(`Call tenants.activate('late')`)])
    await router.tenants.activate('late')
    expect(await findingsOf(fleet)).toEqual([])
  })

  it('tells what was left half made from what is being made', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const begun = gate()
    const goOn = gate()
    const bridge: MigrationBridge = {
      kind: 'bridge',
      origin: 'a tool',
      up: async ({ client }) => {
        await client.query('create table loans ()')
        begun.open()
        await goOn.opened
        return []
      },
      pending: () => Promise.resolve([]),
    }
    const tenants = { ...schemas.tenants, migrations: bridge }
    const another = (): SchemaRouter =>
      new SchemaRouter({ pool: database.pool(), schemas: { ...schemas, tenants } })
    const router = another()
    const creating = router.tenants.create({ slug: 'new' })
    await begun.opened
    const audit = async (): Promise<readonly AuditFinding[]> =>
      (await router.tenants.audit()).findings.filter(({ schema }) => schema === `${prefix}new`)
    const look = expect.stringContaining('look again') as unknown
    expect(await audit()).toMatchObject([{ kind: 'create-unfinished', busy: true, repair: look }])
    await expect(another().tenants.create({ slug: 'new' })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
      schema: `${prefix}new`,
    })
    goOn.open()
    await creating
    expect(await audit()).toEqual([])

    await database.admin.query(`delete from shared_${prefix}.tenantry_tenants;
      comment on schema ${prefix}new is 'tenantry: creating 2026-01-02T03:04:05.000Z'`)
    const [left] = await audit()
    expect(left).toMatchObject({
      kind: 'create-unfinished',
      since: new Date('2026-01-02T03:04:05.000Z'),
      repair: expect.stringContaining(`Run "drop schema "${prefix}new" cascade"`) as unknown,
    })
    expect(left).not.toHaveProperty('busy')
    await expect(router.tenants.create({ slug: 'new' })).rejects.toMatchObject({
      code: 'SCHEMA_EXISTS',
    })
  })

  it('finds names that differ by case', async () => {
    const fleet = await setUp()
    await run(fleet, 'create schema "NAMEAcme"')
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'names-differ-by-case', names: [`${fleet.prefix}acme`, `${fleet.prefix}Acme`] },
      { kind: 'schema-without-tenant', schema: `${fleet.prefix}Acme` },
    ])
  })

  it('finds a domain whose tenant is gone', async () => {
    const fleet = await setUp()
    await run(
      fleet,
      `alter table SHARED.tenantry_domains drop constraint tenantry_domains_tenant_id_fkey;
       insert into SHARED.tenantry_domains (host, path, tenant_id)
       values ('gone.example.com', '/x', gen_random_uuid())`,
    )
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'domain-without-tenant', domain: 'gone.example.com/x' },
    ])
  })

  it('finds a domain that the configuration has given to a static schema meanwhile', async () => {
    const { prefix } = await setUp()
    const schemas = await migrations.fleet(prefix, { tenants: LOANS })
    const main = { [`main_${prefix}`]: { domains: ['acme.example.com'] } }
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: { ...schemas, static: main },
    })
    const { findings } = await router.tenants.audit()
    expect(findings).toContainEqual(
      expect.objectContaining({
        kind: 'domain-unreachable',
        tenant: 'acme',
        domain: 'acme.example.com',
        schema: `main_${prefix}`,
      }),
    )
  })
})

describe('tenants.audit of a registry that lets in what ours refuses', () => {
  /** A registry with rows that somebody else has written. */
  async function withRows(change: (tenant: Tenant, fleet: Fleet) => readonly Tenant[]) {
    const fleet = await setUp()
    const { prefix, shared, pool } = fleet
    const own = tableRegistry(parseSchemaName(shared))
    const registry = {
      ...own,
      list: async (...args: Parameters<typeof own.list>) =>
        (await own.list(...args)).flatMap((tenant) => [tenant, ...change(tenant, fleet)]),
    }
    const schemas = await migrations.fleet(prefix, { tenants: LOANS })
    return { ...fleet, router: new SchemaRouter({ pool, schemas, registry }) }
  }

  it('finds two tenants on one schema', async () => {
    const fleet = await withRows((tenant) => [{ ...tenant, slug: 'twin' }])
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'schema-of-several', schema: `${fleet.prefix}acme`, names: ['acme', 'twin'] },
    ])
  })

  it('finds a tenant on the shared schema', async () => {
    const fleet = await withRows((tenant, { shared }) => [{ ...tenant, slug: 'b', schema: shared }])
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'schema-reserved', tenant: 'b', schema: fleet.shared },
    ])
  })

  it('finds slugs that differ by case, and names that nothing works with', async () => {
    const fleet = await withRows((tenant) => [{ ...tenant, slug: 'Acme', schema: 'x' }])
    const { findings } = await fleet.router.tenants.audit()
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'name-invalid', tenant: 'Acme' }),
    )
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'names-differ-by-case', names: ['acme', 'Acme'] }),
    )
  })
})

describe('tenants.audit of a large fleet', () => {
  it('asks as few queries for a thousand tenants as for one, and writes nothing', async () => {
    const fleet = await setUp()
    const { router, pool, prefix, shared } = fleet
    const counter = countQueries(pool)
    const asked = async (): Promise<number> => {
      const before = counter.queries
      await router.tenants.audit()
      return counter.queries - before
    }
    await asked()
    const few = await asked()
    await run(
      fleet,
      `insert into SHARED.tenantry_tenants (slug, name, schema)
       select 's' || n, 'S', 'NAMEs' || n from generate_series(1, 1000) n;
       insert into SHARED.tenantry_domains (host, tenant_id)
       select slug || '.example.com', id from SHARED.tenantry_tenants where slug <> 'acme';
       do $$ begin for n in 1..1000 loop execute 'create schema NAMEs' || n; end loop; end $$`,
    )
    const rows = `select md5(string_agg(t::text, '' order by id)) from ${shared}.tenantry_tenants t`
    const before = await fleet.one(rows)
    expect(await asked()).toBe(few)
    expect(few).toBeLessThanOrEqual(10)
    expect(await findingsOf(fleet)).toEqual([])
    expect(await fleet.one(rows)).toBe(before)
    await run(fleet, 'drop schema NAMEs7; create schema NAMEs7x')
    expect(await findingsOf(fleet)).toMatchObject([
      { kind: 'tenant-without-schema', tenant: 's7' },
      { kind: 'schema-without-tenant', schema: `${prefix}s7x` },
    ])
  })
})

describe('AUDIT_KINDS', () => {
  it('has each kind once, in the order of the alphabet', () => {
    const kinds: readonly AuditKind[] = AUDIT_KINDS
    expect([...new Set(kinds)].toSorted()).toEqual(kinds)
  })
})
