import { type MappedRegistryOptions, SchemaRouter, mappedRegistry } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { parseDomain, parseHost } from '../../src/names/domain-name.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { parseSlug } from '../../src/names/slug.js'
import { thrownBy } from '../unit/thrown.js'
import { openFleet } from '../lifecycle/fleet.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const FILES = {
  tenants: {
    '1_create_loans.sql': 'create table loans (id int)',
    '2_function.sql': 'create function f() returns int language sql as $$ select 1 $$',
  },
}

let tables = 0

/** A table of its own for a test; the text stands between the parentheses. */
async function makeTable(columns: string): Promise<string> {
  tables += 1
  const name = `customers_${tables}`
  await database.admin.query(`create table ${name} (${columns})`)
  return name
}

const ID = 'id int generated always as identity primary key'
const acme = parseSlug('acme')
const order = (schema: string) => ({
  slug: acme,
  name: 'acme',
  schema: parseSchemaName(schema),
  metadata: {},
})

describe('a router with the service’s own table', () => {
  it('takes a tenant through its life, and lets the table’s triggers write elsewhere', async () => {
    const table = await makeTable(`${ID}, key text unique, place text unique,
      state text not null, facts jsonb not null default '{}'`)
    const log = await makeTable('what text')
    await database.admin.query(`
      create function note_${table}() returns trigger language plpgsql as
        $$ begin insert into public.${log} values (tg_op); return new; end $$;
      create trigger note after insert or update on ${table}
        for each row execute function note_${table}()`)
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'key', schema: 'place', status: 'state', metadata: 'facts' },
    })
    const { router, one, prefix } = await openFleet(database, migrations, FILES, { registry })
    await router.tenants.create({ slug: 'acme', metadata: { plan: 'gold' } })
    await router.withTenant('acme', (db) => db.query('insert into loans values (1)'))
    await router.tenants.clone('acme', { slug: 'copy' })
    await router.tenants.rename('copy', { slug: 'twin', schema: `${prefix}twin` })
    await router.tenants.delete('twin')
    await router.tenants.undelete('twin')
    await router.tenants.delete('twin')
    await router.tenants.purge('twin', { confirm: 'twin' })
    expect(await one(`select to_json(t) from ${table} t`)).toEqual({
      id: 1,
      key: 'acme',
      place: `${prefix}acme`,
      state: 'active',
      facts: { plan: 'gold' },
    })
    expect(await one('select to_regclass($1)', `shared_${prefix}.tenantry_tenants`)).toBeNull()
    await router.close()
  })

  it('has an audit find domains without a tenant, and scopes that keep to their own schema', async () => {
    const table = await makeTable(`${ID}, slug text unique, place text unique`)
    const hosts = await makeTable('owner int, host text unique')
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug', schema: 'place' },
      domains: { table: hosts, columns: { tenant: 'owner', host: 'host' } },
    })
    const { router, prefix } = await openFleet(database, migrations, FILES, { registry })
    await router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
    await database.admin.query(`insert into ${hosts} values (7, 'lost.example.com')`)
    const { findings } = await router.tenants.audit()
    expect(findings.filter(({ domain }) => domain !== undefined)).toMatchObject([
      { kind: 'domain-without-tenant', domain: 'lost.example.com' },
    ])
    await router.withTenant('acme', async (db) => {
      await router.tenants.rename('acme', { slug: 'apex', schema: `${prefix}apex` })
      await router.tenants.create({ slug: 'acme' })
      await expect(db.query('table loans')).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    })
    await router.close()
  })

  it('has no domains where no table of them is mapped', async () => {
    const table = await makeTable(`${ID}, slug text unique, place text unique`)
    const columns = { id: 'id', slug: 'slug', schema: 'place' }
    const registry = mappedRegistry({ table, columns })
    const { router } = await openFleet(database, migrations, FILES, { registry })
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ name: 'acme' })
    expect(await registry.listDomains?.(database.admin)).toEqual([])
    expect(await router.tenants.domains.list('acme')).toEqual([])
    await router.close()
  })

  it('is started by the migrations that make the table', async () => {
    const files = {
      ...FILES,
      shared: {
        '1_customers.sql':
          'create table accounts (id serial primary key, slug text not null unique)',
      },
    }
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, files)
    const registry = mappedRegistry({
      table: `shared_${prefix}.accounts`,
      columns: { id: 'id', slug: 'slug' },
      schemaPrefix: prefix,
    })
    const router = new SchemaRouter({ pool: database.pool(), schemas, registry })
    expect(await router.tenants.list()).toEqual([])
    expect(await router.resolve({ host: 'acme.test' })).toBeUndefined()
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'table',
    })
    await router.migrations.up()
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({
      slug: 'acme',
      schema: `${prefix}acme`,
      status: 'active',
      metadata: {},
    })
    await router.close()
  })

  it('hears of a row that the service has changed itself', async () => {
    const table = await makeTable(`${ID}, slug text not null unique, open boolean not null`)
    const prefix = database.prefix()
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug', status: 'open' },
      statuses: { active: true, suspended: false },
      schemaPrefix: prefix,
    })
    const schemas = { tenants: { prefix } }
    const router = new SchemaRouter({ pool: database.pool(), schemas, registry })
    await router.tenants.create({ slug: 'acme' })
    await database.admin.query(
      `with changed as (update ${table} set open = false returning slug)
       select pg_notify('tenantry_registry', slug) from changed`,
    )
    await expect
      .poll(async () => (await router.tenants.get('acme')).status, { timeout: 5_000 })
      .toBe('suspended')
    await expect(router.tenants.delete('acme')).rejects.toMatchObject({
      code: 'REGISTRY_UNSUPPORTED',
      option: 'statuses.deleted',
    })
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'suspended' })
    await router.close()
  })
})

describe('mappedRegistry', () => {
  const base = { table: 'customers', columns: { id: 'id', slug: 'slug', schema: 'schema' } }

  it.each<[string, string, object]>([
    ['an option that does not exist', 'colums', { ...base, colums: {} }],
    ['a column that does not exist', 'columns.sulg', { ...base, columns: { sulg: 'slug' } }],
    ['no column for the id', 'columns.id', { ...base, columns: { slug: 'a', schema: 'b' } }],
    ['columns that are none', 'columns', { ...base, columns: undefined }],
    [
      'a column without a name',
      'columns.name',
      { ...base, columns: { ...base.columns, name: '' } },
    ],
    ['no way to a schema', 'columns.schema', { ...base, columns: { id: 'id', slug: 'slug' } }],
    ['two ways to a schema', 'columns.schema', { ...base, schemaPrefix: 'tenant_' }],
    ['a table in a table', 'table', { ...base, table: 'a.b.c' }],
    ['statuses without a column', 'statuses', { ...base, statuses: { active: 'on' } }],
    ['values that are no function', 'values', { ...base, values: { plan: 'free' } }],
    [
      'a status that does not exist',
      'statuses.activ',
      { ...base, columns: { ...base.columns, status: 'state' }, statuses: { activ: 'on' } },
    ],
    [
      'a status of no kind',
      'statuses.active',
      { ...base, columns: { ...base.columns, status: 'state' }, statuses: { active: {} } },
    ],
    [
      'no word for active',
      'statuses.active',
      { ...base, columns: { ...base.columns, status: 'state' }, statuses: { deleted: 'off' } },
    ],
    [
      'one word for two statuses',
      'statuses.suspended',
      {
        ...base,
        columns: { ...base.columns, status: 'state' },
        statuses: { active: 'on', suspended: ['off', 'on'] },
      },
    ],
    [
      'a misspelt column of domains',
      'domains.columns.hots',
      { ...base, domains: { table: 'domains', columns: { tenant: 'a', hots: 'b' } } },
    ],
    [
      'two columns for one thing',
      'domains.columns.verified',
      {
        ...base,
        domains: {
          table: 'domains',
          columns: { tenant: 'a', host: 'b', verified: 'c', verifiedAt: 'd' },
        },
      },
    ],
  ])('refuses %s', (_, option, options) => {
    const wrong: unknown = options
    expect(thrownBy(() => mappedRegistry(wrong as MappedRegistryOptions))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option,
    })
  })

  it('names a column that the table does not have, and those that it has', async () => {
    const table = await makeTable(`${ID}, slug text not null unique, place text unique`)
    const registry = mappedRegistry({ table, columns: { id: 'id', slug: 'slug', schema: 'plaec' } })
    await expect(registry.list(database.admin)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'columns.schema',
      candidates: ['id', 'slug', 'place'],
      message: expect.stringContaining('"plaec"') as string,
    })
    await expect(registry.insert(database.admin, order('tenant_acme'))).rejects.toMatchObject({
      option: 'columns.schema',
    })
  })

  it.each([
    ['no unique index on the slug', 'slug text not null, place text unique', 'columns.slug'],
    ['none on the schema', 'slug text not null unique, place text', 'columns.schema'],
    ['one that covers more', 'slug text, place text unique, unique (slug, place)', 'columns.slug'],
  ])('refuses a table that has %s', async (_, columns, option) => {
    const table = await makeTable(`${ID}, ${columns}`)
    const registry = mappedRegistry({ table, columns: { id: 'id', slug: 'slug', schema: 'place' } })
    await expect(registry.install(database.admin)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option,
    })
  })

  it('refuses what it has no place for, and changes nothing', async () => {
    const table = await makeTable(`${ID}, slug text not null unique`)
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug' },
      schemaPrefix: 'tenant_',
    })
    const { admin } = database
    const refused = (option: string) => ({ code: 'REGISTRY_UNSUPPORTED', option })
    const row = order('tenant_acme')
    await expect(registry.insert(admin, order('elsewhere'))).rejects.toMatchObject(
      refused('schemaPrefix'),
    )
    await expect(registry.insert(admin, { ...row, name: 'Acme' })).rejects.toMatchObject(
      refused('columns.name'),
    )
    await expect(
      registry.insert(admin, { ...row, metadata: { plan: 'gold' } }),
    ).rejects.toMatchObject(refused('columns.metadata'))
    expect(await registry.list(admin)).toEqual([])
    const added = await registry.insert(admin, row)
    await expect(registry.update(admin, acme, { name: 'Acme' })).rejects.toMatchObject(
      refused('columns.name'),
    )
    await expect(registry.setStatus(admin, acme, 'suspended')).rejects.toMatchObject(
      refused('columns.status'),
    )
    await expect(registry.rename(admin, acme, { slug: parseSlug('apex') })).rejects.toMatchObject(
      refused('schemaPrefix'),
    )
    await expect(registry.update(admin, acme, { metadata: {} })).rejects.toMatchObject(
      refused('columns.metadata'),
    )
    expect(await registry.update(admin, acme, {})).toEqual(added)
    const domain = { ...parseDomain('acme.test'), primary: true, verified: true }
    await expect(registry.addDomain(admin, acme, domain)).rejects.toMatchObject(refused('domains'))
    expect(await registry.setStatus(admin, acme, 'active')).toEqual(added)
    expect(await registry.list(admin)).toEqual([added])
    const both = { slug: parseSlug('apex'), schema: parseSchemaName('tenant_apex') }
    expect(await registry.rename(admin, acme, both)).toMatchObject(both)
  })

  it('refuses paths and claims of a table that holds hosts alone', async () => {
    const table = await makeTable(`${ID}, slug text not null unique`)
    const hosts = await makeTable(`customer int not null references ${table}, host text unique`)
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug' },
      schemaPrefix: 'tenant_',
      domains: { table: hosts, columns: { tenant: 'customer', host: 'host' } },
    })
    const { admin } = database
    await registry.insert(admin, order('tenant_acme'))
    const whole = { ...parseDomain('acme.test'), primary: true, verified: true }
    const add = (more: object) => registry.addDomain(admin, acme, { ...whole, ...more })
    await expect(add({ path: '/beta' })).rejects.toMatchObject({ option: 'domains.columns.path' })
    await expect(add({ verified: false })).rejects.toMatchObject({
      option: 'domains.columns.verified',
    })
    expect(await registry.domainsOf(admin, acme)).toEqual([])
    const added = await add({})
    expect(added).toEqual({ ...whole, tenant: 'acme', primary: false })
    expect(await registry.verifyDomain(admin, acme, whole)).toEqual(added)
    await expect(registry.setPrimaryDomain(admin, acme, whole)).rejects.toMatchObject({
      option: 'domains.columns.primary',
    })
    const answer = await registry.lookUp(admin, { slugs: [], hosts: [parseHost('acme.test')] })
    expect(answer).toMatchObject({ tenants: [{ slug: 'acme' }], domains: [added] })
  })

  it('keeps claims in a column of yes and no, and knows nobody before the tables are there', async () => {
    const table = `customers_of_${database.prefix()}`
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug' },
      schemaPrefix: 'tenant_',
      domains: {
        table: `hosts_of_${table}`,
        columns: { tenant: 'customer', host: 'host', verified: 'is_ours' },
      },
    })
    const { admin } = database
    const nobody = async (): Promise<void> => {
      expect(await registry.findBySlug(admin, acme)).toBeUndefined()
      expect(await registry.domainsOf(admin, acme)).toEqual([])
      expect(await registry.listDomains?.(admin)).toEqual([])
    }
    await nobody()
    await admin.query(`create table ${table} (${ID}, slug text not null unique)`)
    await nobody()
    await admin.query(`create table hosts_of_${table} (customer int not null references ${table},
      host text not null, is_ours boolean, unique (host, customer))`)
    await admin.query(`create unique index on hosts_of_${table} (host) where is_ours`)
    await registry.insert(admin, order('tenant_acme'))
    const host = { ...parseDomain('acme.test'), primary: false }
    const claim = await registry.addDomain(admin, acme, { ...host, verified: false })
    expect(claim).toMatchObject({ verified: false })
    const question = { slugs: [], hosts: [parseHost('acme.test')] }
    expect(await registry.lookUp(admin, question)).toEqual({ tenants: [], domains: [] })
    expect(await registry.verifyDomain(admin, acme, host)).toMatchObject({ verified: true })
    expect(await registry.lookUp(admin, question)).toMatchObject({ tenants: [{ slug: 'acme' }] })
    const other = parseSlug('beta')
    await registry.insert(admin, { ...order('tenant_beta'), slug: other, name: 'beta' })
    const taken = registry.rename(admin, other, {
      slug: acme,
      schema: parseSchemaName('tenant_acme'),
    })
    await expect(taken).rejects.toMatchObject({ code: 'TENANT_EXISTS', tenant: 'acme' })
  })

  it('says which tenant has a status that nobody has explained', async () => {
    const table = await makeTable(`${ID}, slug text not null unique, state text`)
    await database.admin.query(`insert into ${table} (slug, state) values ('acme', 'frozen')`)
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug', status: 'state' },
      schemaPrefix: 'tenant_',
      statuses: { active: [null, 'live'] },
    })
    await expect(registry.list(database.admin)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringMatching(/acme.*"frozen"/) as string,
    })
    await database.admin.query(`update ${table} set state = null`)
    expect(await registry.list(database.admin)).toMatchObject([{ slug: 'acme', status: 'active' }])
  })

  it('fills further columns of a new row, and leaves out rows that are no tenants', async () => {
    const table = await makeTable(
      `${ID}, slug text unique, plan text not null, place text unique, legal_name text`,
    )
    await database.admin.query(`insert into ${table} (plan) values ('lead')`)
    const registry = mappedRegistry({
      table,
      columns: { id: 'id', slug: 'slug', schema: 'place', name: 'legal_name' },
      values: ({ name }) => ({ plan: name.length > 3 ? 'gold' : 'free' }),
    })
    await registry.insert(database.admin, order('tenant_acme'))
    expect(await registry.list(database.admin)).toMatchObject([{ slug: 'acme', name: 'acme' }])
    const { rows } = await database.admin.query(`select plan from ${table} where slug = 'acme'`)
    expect(rows).toEqual([{ plan: 'gold' }])
  })

  it('writes through a view', async () => {
    const table = await makeTable(`${ID}, slug text not null unique, kind text default 'company'`)
    await database.admin.query(
      `create view companies_${table} as select id, slug from ${table} where kind = 'company'`,
    )
    const registry = mappedRegistry({
      table: `companies_${table}`,
      columns: { id: 'id', slug: 'slug' },
      schemaPrefix: 'tenant_',
    })
    await registry.insert(database.admin, order('tenant_acme'))
    await expect(registry.insert(database.admin, order('tenant_acme'))).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
    })
    expect(await registry.remove(database.admin, acme)).toBe(true)
  })
})
