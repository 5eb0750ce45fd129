import { SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
  /** A router on the same fleet that can write nothing. */
  readonly reader: SchemaRouter
}

async function setUp(...slugs: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const schemas = await migrations.fleet(prefix, {})
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  for (const slug of slugs) await router.tenants.create({ slug })
  const pool = database.pool({ options: '-c default_transaction_read_only=on' })
  return { prefix, router, reader: new SchemaRouter({ pool, schemas }) }
}

describe('whoWill', () => {
  it('names the schemas in the order of a run, and writes nothing', async () => {
    const { prefix, reader } = await setUp('zeta', 'acme', 'a-b')
    expect(await reader.whoWill(select.all())).toEqual([
      `shared_${prefix}`,
      `main_${prefix}`,
      `${prefix}a-b`,
      `${prefix}acme`,
      `${prefix}zeta`,
    ])
  })

  it('takes tenants by status, and leaves deleted ones out', async () => {
    const { prefix, router, reader } = await setUp('acme', 'asleep', 'gone')
    await router.tenants.suspend('asleep')
    await database.admin.query(
      `update shared_${prefix}.tenantry_tenants set status = 'deleted' where slug = 'gone'`,
    )
    expect(await reader.whoWill(select.tenants())).toEqual([`${prefix}acme`, `${prefix}asleep`])
    expect(await reader.whoWill(select.tenants({ status: ['active'] }))).toEqual([`${prefix}acme`])
    await expect(reader.whoWill(select.names('gone'))).rejects.toMatchObject({
      code: 'SELECTOR_UNKNOWN',
    })
  })

  it('leaves out what is excluded, by schema and by slug', async () => {
    const { prefix, reader } = await setUp('acme', 'beta', 'gamma')
    const exclude = ['acme', `${prefix}gamma`]
    expect(await reader.whoWill(select.tenants(), { exclude })).toEqual([`${prefix}beta`])
  })

  it('refuses an unknown exclusion', async () => {
    const { reader } = await setUp('acme')
    const exclude = ['acmee']
    await expect(reader.whoWill(select.tenants(), { exclude })).rejects.toMatchObject({
      code: 'SELECTOR_UNKNOWN',
      schema: 'acmee',
    })
  })

  it('takes a tenant by its domain, once it is verified', async () => {
    const { prefix, router, reader } = await setUp('acme')
    const host = `${prefix.replaceAll('_', '')}.example.com`
    await router.tenants.domains.add('acme', host, { verified: false })
    const ask = (): Promise<readonly string[]> => reader.whoWill(select.names(host))
    await expect(ask()).rejects.toMatchObject({ code: 'SELECTOR_UNKNOWN', schema: host })
    await router.tenants.domains.verify('acme', host)
    expect(await ask()).toEqual([`${prefix}acme`])
  })

  it('refuses what can be the name of nothing', async () => {
    const { reader } = await setUp('acme')
    await expect(reader.whoWill(select.names('no name'))).rejects.toMatchObject({
      code: 'SELECTOR_UNKNOWN',
      schema: 'no name',
    })
  })

  it('refuses a slug that is a static schema’s name as well', async () => {
    const prefix = database.prefix()
    const schemas = {
      shared: { name: `shared_${prefix}` },
      static: { main: {} },
      tenants: { prefix },
    }
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.tenants.create({ slug: 'main' })
    await expect(router.whoWill(select.names('main'))).rejects.toMatchObject({
      code: 'SELECTOR_AMBIGUOUS',
      candidates: ['main', `${prefix}main`],
    })
    expect(await router.whoWill(select.names(`${prefix}main`))).toEqual([`${prefix}main`])
  })

  it('knows the fixed schemas in a database without a registry, and makes none', async () => {
    const { prefix, reader } = await setUp()
    expect(await reader.whoWill(select.all())).toEqual([`shared_${prefix}`, `main_${prefix}`])
    const { rows } = await database.admin.query('select from pg_namespace where nspname = $1', [
      `shared_${prefix}`,
    ])
    expect(rows).toEqual([])
  })

  it('sees a tenant as soon as another process has created it', async () => {
    const { prefix, router, reader } = await setUp('acme')
    expect(await reader.whoWill(select.tenants())).toHaveLength(1)
    await router.tenants.create({ slug: 'beta' })
    expect(await reader.whoWill(select.tenants())).toEqual([`${prefix}acme`, `${prefix}beta`])
  })

  it('takes tenants and static schemas by domain, in exclusions as well', async () => {
    const prefix = database.prefix()
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: {
        shared: { name: `shared_${prefix}` },
        static: { [`main_${prefix}`]: { domains: ['app.example.com'] } },
        tenants: { prefix },
      },
    })
    await router.tenants.create({ slug: 'acme', domains: ['acme.example.com', 'example.com/a'] })
    await router.tenants.create({ slug: 'beta' })
    const by = (...names: string[]): Promise<readonly string[]> =>
      router.whoWill(select.names(...names))
    expect(await by('ACME.example.com', 'app.example.com')).toEqual([
      `main_${prefix}`,
      `${prefix}acme`,
    ])
    expect(await by('example.com/a')).toEqual([`${prefix}acme`])
    await expect(by('example.com')).rejects.toMatchObject({ code: 'SELECTOR_UNKNOWN' })
    const exclude = ['acme.example.com']
    expect(await router.whoWill(select.tenants(), { exclude })).toEqual([`${prefix}beta`])
  })

  it('refuses a domain that leads to two schemas, and names both', async () => {
    const prefix = database.prefix()
    const schemas = { shared: { name: `shared_${prefix}` }, tenants: { prefix } }
    const before = new SchemaRouter({ pool: database.pool(), schemas })
    await before.tenants.create({ slug: 'acme', domains: ['both.example.com'] })
    // The configuration of a later version, which nobody compares with the registry.
    const main = { [`main_${prefix}`]: { domains: ['both.example.com'] } }
    const pool = database.pool()
    const router = new SchemaRouter({ pool, schemas: { ...schemas, static: main } })
    const refusal = { code: 'SELECTOR_AMBIGUOUS', candidates: [`main_${prefix}`, `${prefix}acme`] }
    const both = select.names('both.example.com')
    await expect(router.whoWill(both)).rejects.toMatchObject(refusal)
    await expect(router.migrations.up({ select: both })).rejects.toMatchObject(refusal)
    const exclude = ['both.example.com']
    await expect(router.whoWill(select.all(), { exclude })).rejects.toMatchObject(refusal)
  })

  it('takes what is behind, and leaves out what up excludes', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const before = new SchemaRouter({ pool: database.pool(), schemas })
    for (const slug of ['acme', 'beta']) await before.tenants.create({ slug })
    const tenants = {
      prefix,
      migrations: await migrations.folder({ '1_create_loans.sql': 'create table loans (id int)' }),
    }
    const router = new SchemaRouter({ pool: database.pool(), schemas: { ...schemas, tenants } })
    const exclude = [`${prefix}b*`]
    await router.migrations.up({ select: select.tenants(), exclude })
    expect(await router.whoWill(select.behind())).toEqual([`${prefix}beta`])
  })

  it('needs no more than the right to connect where nothing was installed', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const role = `reader_${prefix}`
    await database.admin.query(`create role ${role}`)
    try {
      const pool = database.pool({ options: `-c role=${role}` })
      const router = new SchemaRouter({ pool, schemas })
      const fixed = [`shared_${prefix}`, `main_${prefix}`]
      expect(await router.whoWill(select.all())).toEqual(fixed)
      expect((await router.migrations.status()).map(({ exists }) => exists)).toEqual([false, false])
      const { rows } = await database.admin.query(
        'select from pg_namespace where nspname = any ($1)',
        [fixed],
      )
      expect(rows).toEqual([])
    } finally {
      await database.admin.query(`drop role ${role}`)
    }
  })
})
