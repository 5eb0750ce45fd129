import type { Pool } from 'pg'
import { SchemaRouter, type Tenant } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_create_loans.sql': 'create table loans (id int primary key, amount int not null)',
  '2_seed_loans.sql': 'insert into loans values (1, 100)',
}

interface Setup {
  readonly router: SchemaRouter
  readonly prefix: string
  readonly pool: Pool
  /** Another process: a pool and a router of its own on the same fleet. */
  another(): SchemaRouter
}

async function setUp(tenants: MigrationFiles = LOANS): Promise<Setup> {
  const prefix = database.prefix()
  const pool = database.pool()
  const schemas = await migrations.fleet(prefix, { tenants })
  const another = (): SchemaRouter => new SchemaRouter({ pool: database.pool(), schemas })
  return { router: new SchemaRouter({ pool, schemas }), prefix, pool, another }
}

async function schemaExists(schema: string): Promise<boolean> {
  const { rows } = await database.admin.query('select from pg_namespace where nspname = $1', [
    schema,
  ])
  return rows.length > 0
}

async function domainsIn(prefix: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ host: string }>(
    `select host from shared_${prefix}.tenantry_domains order by host`,
  )
  return rows.map(({ host }) => host)
}

const slugs = (tenants: readonly Tenant[]): readonly string[] => tenants.map(({ slug }) => slug)

describe('tenants.create', () => {
  it('makes a tenant with row, domains, schema and every migration', async () => {
    const { router, prefix } = await setUp()
    const tenant = await router.tenants.create({
      slug: 'acme',
      name: 'Acme Lending',
      domains: ['Acme.Example.com', 'example.com/acme'],
      metadata: { plan: 'gold', seats: 3 },
    })
    expect(tenant).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      slug: 'acme',
      name: 'Acme Lending',
      schema: `${prefix}acme`,
      status: 'active',
      metadata: { plan: 'gold', seats: 3 },
      createdAt: expect.any(Date),
    })
    expect(await router.tenants.domains.list('acme')).toMatchObject([
      { host: 'acme.example.com', path: '', primary: true },
      { host: 'example.com', path: '/acme', primary: false },
    ])
    const loans = await router.withTenant('acme', (db) => db.query('select * from loans'))
    expect(loans.rows).toEqual([{ id: 1, amount: 100 }])
  })

  it('is called by its slug and has empty metadata when nothing else is said', async () => {
    const { router } = await setUp()
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({
      name: 'acme',
      metadata: {},
    })
  })

  it('notes every migration in the ledger', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.create({ slug: 'acme' })
    const { rows } = await database.admin.query(`select id, name from ${prefix}acme.migrations`)
    expect(rows).toEqual([
      { id: 0, name: 'create-migrations-table' },
      { id: 1, name: 'create_loans' },
      { id: 2, name: 'seed_loans' },
    ])
  })

  it('makes a schema also without any migrations', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.tenants.create({ slug: 'acme' })
    expect(await schemaExists(`${prefix}acme`)).toBe(true)
    const { rows } = await router.withTenant('acme', (db) => db.query('select 1 as one'))
    expect(rows).toEqual([{ one: 1 }])
  })

  it('takes one client at a time, so that a pool of one is enough', async () => {
    const { prefix } = await setUp()
    const schemas = await migrations.fleet(prefix, { tenants: LOANS })
    const router = new SchemaRouter({ pool: database.pool({ max: 1 }), schemas })
    await router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
    expect(slugs(await router.tenants.list())).toEqual(['acme'])
  })

  it('leaves nothing when the last migration fails', async () => {
    const { router, prefix } = await setUp({
      ...LOANS,
      '3_break.sql': 'create table payments (id int);\nselect * from nowhere;',
    })
    const creating = router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
    await expect(creating).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}acme`,
      migration: '3_break.sql',
      line: 2,
      statement: 'select * from nowhere',
      sqlState: '42P01',
    })
    expect(await router.tenants.list()).toEqual([])
    expect(await domainsIn(prefix)).toEqual([])
    expect(await schemaExists(`${prefix}acme`)).toBe(false)
  })

  it('can be tried again after a failure', async () => {
    const { router, prefix, pool } = await setUp({ '1_break.sql': 'select * from nowhere' })
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toThrow('nowhere')
    const schemas = await migrations.fleet(prefix, { tenants: LOANS })
    const corrected = new SchemaRouter({ pool, schemas })
    expect(await corrected.tenants.create({ slug: 'acme' })).toMatchObject({ slug: 'acme' })
  })

  it('leaves nothing when a migration ends the transaction', async () => {
    const { router, prefix } = await setUp({ ...LOANS, '3_rollback.sql': 'select 1;\nrollback;' })
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      migration: '3_rollback.sql',
      line: 2,
    })
    expect(await router.tenants.list()).toEqual([])
    expect(await schemaExists(`${prefix}acme`)).toBe(false)
  })

  it('stays one transaction when a migration brings BEGIN and COMMIT of its own', async () => {
    const { router, prefix } = await setUp({
      '1_wrapped.sql': 'begin;\ncreate table loans (id int);\ncommit;\ncreate table fees (id int);',
      '2_break.sql': 'select * from nowhere',
    })
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      migration: '2_break.sql',
    })
    expect(await schemaExists(`${prefix}acme`)).toBe(false)
    const { rows } = await database.admin.query(`select to_regclass('public.fees') as fees`)
    expect(rows).toEqual([{ fees: null }])
  })

  it('does not adopt a schema that is there already', async () => {
    const { router, prefix } = await setUp()
    await database.admin.query(`create schema ${prefix}acme; create table ${prefix}acme.old ()`)
    const creating = router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
    await expect(creating).rejects.toMatchObject({
      code: 'SCHEMA_EXISTS',
      schema: `${prefix}acme`,
      message: expect.stringContaining('rename or drop it'),
    })
    expect(await router.tenants.list()).toEqual([])
    expect(await domainsIn(prefix)).toEqual([])
  })

  it('refuses a slug that a tenant has', async () => {
    const { router, prefix } = await setUp()
    const first = await router.tenants.create({ slug: 'acme', name: 'First' })
    await expect(router.tenants.create({ slug: 'acme', name: 'Second' })).rejects.toMatchObject({
      code: 'TENANT_EXISTS',
      tenant: 'acme',
      schema: `${prefix}acme`,
    })
    expect(await router.tenants.list()).toEqual([first])
  })

  it('leaves nothing when a domain is another tenant’s', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.create({ slug: 'acme', domains: ['shop.example.com'] })
    const creating = router.tenants.create({
      slug: 'beta',
      domains: ['beta.example.com', 'SHOP.example.com.'],
    })
    await expect(creating).rejects.toMatchObject({
      code: 'DOMAIN_TAKEN',
      domain: 'shop.example.com',
    })
    expect(slugs(await router.tenants.list())).toEqual(['acme'])
    expect(await domainsIn(prefix)).toEqual(['shop.example.com'])
    expect(await schemaExists(`${prefix}beta`)).toBe(false)
  })

  it('lets one of two processes win that create the same slug at once', async () => {
    const { router, another } = await setUp()
    const routers = [router, another()]
    for (const slug of ['acme', 'beta', 'gamma']) {
      const results = await Promise.allSettled(routers.map((each) => each.tenants.create({ slug })))
      const won = results.filter(({ status }) => status === 'fulfilled')
      const lost = results.filter((result) => result.status === 'rejected')
      expect(won).toHaveLength(1)
      expect(lost).toMatchObject([{ reason: { code: 'TENANT_EXISTS', tenant: slug } }])
    }
    expect(slugs(await router.tenants.list())).toEqual(['acme', 'beta', 'gamma'])
  })

  it('makes many tenants at once in several processes', async () => {
    const { router, another } = await setUp()
    const routers = [router, another()]
    const wanted = Array.from({ length: 12 }, (_, index) => `tenant-${index + 10}`)
    await Promise.all(
      wanted.map(async (slug, index) => {
        await routers[index % 2]?.tenants.create({ slug, domains: [`${slug}.example.com`] })
      }),
    )
    expect(slugs(await router.tenants.list())).toEqual(wanted)
  })

  it('does not wait for a tenant that another process is creating', async () => {
    const { router, another, prefix } = await setUp()
    await router.tenants.create({ slug: 'first', domains: ['first.example.com'] })
    const other = await database.admin.connect()
    try {
      await other.query('begin')
      await other.query(
        `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
         values ('slow', 'slow', '${prefix}slow')`,
      )
      await other.query(
        `insert into shared_${prefix}.tenantry_domains (host, tenant_id)
         select 'slow.example.com', id from shared_${prefix}.tenantry_tenants where slug = 'slow'`,
      )
      await another().tenants.create({ slug: 'fast', domains: ['fast.example.com'] })
    } finally {
      await other.query('rollback')
      other.release()
    }
    expect(slugs(await router.tenants.list())).toEqual(['fast', 'first'])
  })

  it('gives the client back with the path that it had', async () => {
    const { prefix } = await setUp()
    const schemas = await migrations.fleet(prefix, {
      tenants: {
        '1_dump.sql': `set search_path = pg_catalog; select set_config('search_path', '', false);`,
      },
    })
    const pool = database.pool({ max: 1, options: '-c search_path=here' })
    await new SchemaRouter({ pool, schemas }).tenants.create({ slug: 'acme' })
    const { rows } = await pool.query('show search_path')
    expect(rows).toEqual([{ search_path: 'here' }])
  })

  it.each([
    ['a slug in upper case', { slug: 'Acme' }, 'NAME_INVALID'],
    ['a slug with SQL in it', { slug: 'a"; drop schema public; --' }, 'NAME_INVALID'],
    ['a slug that does not fit behind the prefix', { slug: 'x'.repeat(63) }, 'NAME_INVALID'],
    ['a domain that is no host', { slug: 'a', domains: ['https://a.example.com'] }, 'NAME_INVALID'],
    ['metadata that is a list', { slug: 'a', metadata: [] }, 'OPTIONS_INVALID'],
    ['metadata that is null', { slug: 'a', metadata: null }, 'OPTIONS_INVALID'],
    ['domains that are a text', { slug: 'a', domains: 'a.example.com' }, 'OPTIONS_INVALID'],
  ])('refuses %s before it changes anything', async (_, input, code) => {
    const { router, prefix } = await setUp()
    const wrong: unknown = input
    await expect(
      router.tenants.create(wrong as Parameters<typeof router.tenants.create>[0]),
    ).rejects.toMatchObject({ code })
    expect(await schemaExists(`shared_${prefix}`)).toBe(false)
  })
})

describe('tenants.get', () => {
  it('finds a tenant that was created after it was asked for', async () => {
    const { router } = await setUp()
    expect(await router.tenants.find('acme')).toBeUndefined()
    const created = await router.tenants.create({ slug: 'acme' })
    expect(await router.tenants.get('acme')).toEqual(created)
  })

  it.each(['nobody', 'Not A Slug', '', `x'; drop table t; --`])(
    'says that nobody has the slug %j',
    async (slug) => {
      const { router } = await setUp()
      await expect(router.tenants.get(slug)).rejects.toMatchObject({
        code: 'TENANT_NOT_FOUND',
        tenant: slug,
      })
      expect(await router.tenants.find(slug)).toBeUndefined()
    },
  )

  it('survives that the tenant is changed while it is looked up', async () => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'acme' })
    const looking = router.tenants.find('acme')
    const [found] = await Promise.all([looking, router.tenants.suspend('acme')])
    expect(found?.slug).toBe('acme')
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'suspended' })
  })
})

describe('tenants.suspend', () => {
  it('refuses scopes until the tenant is activated, and keeps its data', async () => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'acme' })
    const count = (): Promise<unknown> =>
      router.withTenant('acme', async (db) => (await db.query('select id from loans')).rows)
    expect(await count()).toEqual([{ id: 1 }])

    expect(await router.tenants.suspend('acme')).toMatchObject({ status: 'suspended' })
    await expect(count()).rejects.toMatchObject({ code: 'TENANT_SUSPENDED', tenant: 'acme' })

    expect(await router.tenants.activate('acme')).toMatchObject({ status: 'active' })
    expect(await count()).toEqual([{ id: 1 }])
  })

  it('counts for a tenant that was handed around while it was active', async () => {
    const { router } = await setUp()
    const tenant = await router.tenants.create({ slug: 'acme' })
    await router.tenants.suspend('acme')
    await expect(router.runAs(tenant, () => 1)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
  })

  it('can be repeated', async () => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.suspend('acme')
    expect(await router.tenants.suspend('acme')).toMatchObject({ status: 'suspended' })
  })

  it.each(['suspend', 'activate'] as const)(
    'does not %s a tenant that nobody created, with or without a registry',
    async (change) => {
      const { router } = await setUp()
      const missing = { code: 'TENANT_NOT_FOUND', tenant: 'nobody' }
      await expect(router.tenants[change]('nobody')).rejects.toMatchObject(missing)
      await router.tenants.create({ slug: 'acme' })
      await expect(router.tenants[change]('nobody')).rejects.toMatchObject(missing)
      await expect(router.tenants[change]('No Slug')).rejects.toMatchObject({
        code: 'NAME_INVALID',
      })
    },
  )
})

describe('tenants.list', () => {
  it('has no tenant in a database without a registry, and makes none', async () => {
    const { router, prefix } = await setUp()
    expect(await router.tenants.list()).toEqual([])
    expect(await schemaExists(`shared_${prefix}`)).toBe(false)
  })

  it('lists tenants in the order of their schemas, whatever the collation', async () => {
    const { router } = await setUp({})
    for (const slug of ['b', 'a_b', 'ab', 'a-b', 'a']) await router.tenants.create({ slug })
    expect(slugs(await router.tenants.list())).toEqual(['a', 'a-b', 'a_b', 'ab', 'b'])
  })

  it('leaves deleted tenants out, unless it is asked for them', async () => {
    const { router, prefix } = await setUp({})
    for (const slug of ['active', 'asleep', 'gone']) await router.tenants.create({ slug })
    await router.tenants.suspend('asleep')
    await database.admin.query(
      `update shared_${prefix}.tenantry_tenants set status = 'deleted' where slug = 'gone'`,
    )
    const { tenants } = router
    expect(slugs(await tenants.list())).toEqual(['active', 'asleep'])
    expect(slugs(await tenants.list({ status: 'suspended' }))).toEqual(['asleep'])
    expect(slugs(await tenants.list({ status: ['active', 'deleted'] }))).toEqual(['active', 'gone'])
    expect(slugs(await tenants.list({ status: [] }))).toEqual([])
  })
})
