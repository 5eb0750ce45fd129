import { code } from 'tenantry/migrate'
import { SchemaRouter, type SchemaRouterOptions, isTenantryError, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { AWKWARD } from '../integration/awkward-schema.js'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import {
  type FleetFiles,
  type MigrationFiles,
  useMigrationFolders,
} from '../support/migration-folder.js'

/** A busy machine takes its time; what is awaited is an event nevertheless. */
const WITHIN = { timeout: 20_000 }

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_loans.sql': 'create table loans (id int primary key, lender text)',
  '2_seed.sql': `insert into loans values (1, 'seed')`,
}
const GROWN: MigrationFiles = { ...LOANS, '3_fee.sql': 'alter table loans add fee int' }

interface SpareFleet {
  readonly router: SchemaRouter
  readonly prefix: string
  readonly shared: string
  readonly schemas: Required<SchemaRouterOptions>['schemas']
  /** Another process on the same fleet. */
  another(options?: Partial<SchemaRouterOptions>): SchemaRouter
  /** Schemas in the catalog that are called like spares. */
  spareSchemas(): Promise<readonly string[]>
  one(text: string): Promise<unknown>
}

async function setUp(
  tenants: MigrationFiles = LOANS,
  options: Partial<SchemaRouterOptions> = {},
): Promise<SpareFleet> {
  return openWith(database.prefix(), { tenants }, { spares: 2, ...options })
}

async function openWith(
  prefix: string,
  files: FleetFiles,
  options: Partial<SchemaRouterOptions>,
): Promise<SpareFleet> {
  const schemas = { ...(await migrations.fleet(prefix, files)), ...options.schemas }
  const another: SpareFleet['another'] = (more = {}) =>
    new SchemaRouter({ pool: database.pool(), ...options, ...more, schemas })
  const spareSchemas = async (): Promise<readonly string[]> => {
    const { rows } = await database.admin.query<{ name: string }>(
      'select nspname as name from pg_namespace where starts_with(nspname, $1) order by 1',
      [`${prefix}_spare_`],
    )
    return rows.map(({ name }) => name)
  }
  const one = async (text: string): Promise<unknown> => {
    const { rows } = await database.admin.query<Record<string, unknown>>(text)
    return Object.values(rows[0] ?? {})[0]
  }
  const shared = `shared_${prefix}`
  return { router: another(), prefix, shared, schemas, another, spareSchemas, one }
}

/** The same prefix and registry with other migrations, as after a deployment. */
function deploy(
  { prefix }: SpareFleet,
  tenants: MigrationFiles,
  options: Partial<SchemaRouterOptions> = {},
): Promise<SpareFleet> {
  return openWith(prefix, { tenants }, { spares: 2, ...options })
}

const oidOf = ({ one }: SpareFleet, schema: string): Promise<unknown> =>
  one(`select oid::int from pg_namespace where nspname = '${schema}'`)

describe('tenants.create with spares', () => {
  it('gives the tenant a schema that was ready', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await router.tenants.spares.fill()
    const [first = ''] = (await router.tenants.spares.status()).ready
    const oid = await oidOf(fleet, first)
    await router.tenants.create({ slug: 'acme', domains: ['acme.test'] })
    expect(await oidOf(fleet, `${prefix}acme`)).toBe(oid)
    expect(await oidOf(fleet, first)).toBeUndefined()
    const { rows } = await router.withTenant('acme', (db) => db.query('select * from loans'))
    expect(rows).toEqual([{ id: 1, lender: 'seed' }])
    expect(await router.tenants.domains.list('acme')).toMatchObject([{ host: 'acme.test' }])
    await router.close()
  })

  it('makes what is made without: the same catalog, and the same state of migrations', async () => {
    const { router, prefix } = await setUp({
      ...AWKWARD,
      [`${Object.keys(AWKWARD).length + 1}_paths.sql`]: `
        create function lenders() returns bigint language sql set search_path from current
        as 'select count(*) from pg_class'`,
    })
    await router.tenants.spares.fill()
    for (const slug of ['one', 'two', 'three']) await router.tenants.create({ slug })
    const [one, two, three] = await router.migrations.status({ select: select.tenants() })
    expect(one).toMatchObject({ pending: [], exists: true })
    expect({ ...two, schema: '', tenant: '' }).toEqual({ ...one, schema: '', tenant: '' })
    expect({ ...three, schema: '', tenant: '' }).toEqual({ ...one, schema: '', tenant: '' })
    expect((await router.migrations.verify()).findings).toEqual([])
    const paths = await database.admin.query<{ path: string }>(
      `select distinct replace(p.proconfig::text, n.nspname, 'SCHEMA') as path
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where starts_with(n.nspname, $1) and p.proname = 'lenders'`,
      [prefix],
    )
    expect(paths.rows).toHaveLength(1)
    // Compares both catalogs itself, and throws CLONE_DIFFERS.
    await router.tenants.clone('one', { slug: 'copy' }, { data: false })
    await router.close()
  })

  it('takes no more than six round trips', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.spares.fill()
    const pool = database.pool({ max: 1 })
    const counter = countQueries(pool)
    const router = new SchemaRouter({ pool, schemas: fleet.schemas, spares: 2 })
    await router.tenants.create({ slug: 'acme' })
    await router.close()
    counter.queries = 0
    await router.tenants.create({ slug: 'beta' })
    // The registry's version; BEGIN, the row, the claim, the rename, COMMIT.
    expect(counter.queries).toBe(6)
    expect(await fleet.spareSchemas()).toEqual([])
  })

  it('goes the ordinary way when there is none', async () => {
    const { router, prefix, one } = await setUp()
    await router.tenants.create({ slug: 'acme' })
    expect(await one(`select lender from "${prefix}acme".loans`)).toBe('seed')
    await router.close()
  })

  it('goes the ordinary way when the spares are stale, and migrations.up makes them ready', async () => {
    const old = await setUp()
    await old.router.tenants.spares.fill()
    await old.router.close()
    const fleet = await deploy(old, GROWN)
    const { router, prefix, one } = fleet
    const { stale, ready } = await router.tenants.spares.status()
    expect([stale.length, ready.length]).toEqual([2, 0])
    await router.tenants.create({ slug: 'acme' })
    expect(await one(`select count(fee)::int from "${prefix}acme".loans`)).toBe(0)
    expect((await router.tenants.spares.status()).stale).toEqual(stale)
    const { outcomes } = await router.migrations.up()
    expect(outcomes.filter(({ spare }) => spare)).toMatchObject(
      stale.map((schema) => ({ schema, kind: 'tenant', status: 'done', applied: ['3_fee.sql'] })),
    )
    expect((await router.tenants.spares.status()).ready).toEqual(stale)
    const oid = await oidOf(fleet, stale[0] ?? '')
    await router.tenants.create({ slug: 'beta' })
    expect(await oidOf(fleet, `${prefix}beta`)).toBe(oid)
    expect((await router.migrations.verify()).findings).toEqual([])
    await router.close()
  })

  it('leaves spares alone that were made for a newer set, and drops them in migrations.up', async () => {
    const ahead = await setUp(GROWN)
    await ahead.router.tenants.spares.fill()
    await ahead.router.close()
    const { router, prefix, one, spareSchemas } = await deploy(ahead, LOANS)
    await router.tenants.create({ slug: 'acme' })
    expect(
      await one(
        `select count(*)::int from pg_attribute
         where attrelid = '"${prefix}acme".loans'::regclass and attname = 'fee'`,
      ),
    ).toBe(0)
    const { outcomes } = await router.migrations.up()
    expect(outcomes.filter(({ spare }) => spare)).toMatchObject([
      { status: 'skipped', reason: expect.stringContaining('dropped') as string },
      { status: 'skipped' },
    ])
    expect(await spareSchemas()).toEqual([])
    await router.close()
  })

  it('takes one that a run of migrations is about to bring up, and the run takes the tenant', async () => {
    const old = await setUp()
    await old.router.tenants.create({ slug: 'acme' })
    await old.router.tenants.spares.fill()
    const { router, prefix } = await deploy(old, {
      ...LOANS,
      '3_gate.sql': 'do $$ begin perform pg_advisory_xact_lock(43); end $$',
    })
    const gate = await database.admin.connect()
    await gate.query('select pg_advisory_lock(43)')
    const up = router.migrations.up({ concurrency: 1 })
    await expect
      .poll(async () => {
        const text = `select from pg_locks where objid = 43 and locktype = 'advisory' and not granted`
        return (await gate.query(text)).rows.length
      }, WITHIN)
      .toBe(1)
    await old.router.tenants.create({ slug: 'late' })
    await old.router.close()
    await gate.query('select pg_advisory_unlock(43)')
    gate.release()
    const { outcomes } = await up
    expect(outcomes.find(({ spare, status }) => spare && status === 'skipped')).toMatchObject({
      reason: expect.stringContaining('become a tenant') as string,
    })
    expect(outcomes.find(({ tenant }) => tenant === 'late')).toMatchObject({
      schema: `${prefix}late`,
      status: 'done',
      applied: ['3_gate.sql'],
    })
    await router.close()
  })

  it('takes none that was made for another search path', async () => {
    const old = await setUp()
    await old.router.tenants.spares.fill()
    await old.router.close()
    const { prefix, schemas, spareSchemas } = old
    const tenants = { ...schemas.tenants, searchPath: [`shared_${prefix}`] }
    const router = old.another()
    const other = new SchemaRouter({
      pool: database.pool(),
      schemas: { ...schemas, tenants },
      spares: 2,
    })
    await other.tenants.create({ slug: 'acme' })
    expect(await spareSchemas()).toHaveLength(2)
    await Promise.all([router.close(), other.close()])
  })

  it('finishes nothing when the create fails: the spare stays', async () => {
    const { router, another, spareSchemas } = await setUp(LOANS, {
      hooks: { afterCreate: () => Promise.reject(new Error('no')) },
    })
    await router.tenants.spares.fill()
    const before = await spareSchemas()
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toThrow('no')
    expect(await spareSchemas()).toEqual(before)
    expect((await router.tenants.spares.status()).ready.toSorted()).toEqual(before)
    expect(await another({ spares: 0 }).tenants.find('acme')).toBeUndefined()
    await router.close()
  })

  it('goes the ordinary way where the role may not make the table of spares', async () => {
    const { router, prefix, shared, schemas, one } = await setUp(LOANS, { spares: 0 })
    await router.migrations.up()
    await database.admin.query(`
      create role "${prefix}app" login;
      grant usage on schema ${shared} to "${prefix}app";
      grant all on all tables in schema ${shared} to "${prefix}app";`)
    await database.admin.query(`grant create on database "${database.name}" to "${prefix}app"`)
    const url = new URL(database.url)
    url.searchParams.set('options', `-c role=${prefix}app`)
    const limited = new SchemaRouter({
      pool: database.pool({ connectionString: url.href }),
      schemas,
      spares: 1,
    })
    await limited.tenants.create({ slug: 'acme' })
    expect(await one(`select lender from "${prefix}acme".loans`)).toBe('seed')
    expect((await limited.tenants.spares.status()).problem?.message).toContain('permission denied')
    await limited.close()
    await database.admin.query(`drop owned by "${prefix}app" cascade; drop role "${prefix}app"`)
  })

  it('refuses a schema that nobody owns, as ever', async () => {
    const { router, prefix, spareSchemas } = await setUp()
    await router.tenants.spares.fill()
    await database.admin.query(`create schema "${prefix}acme"`)
    await expect(router.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
      code: 'SCHEMA_EXISTS',
    })
    expect(await spareSchemas()).toHaveLength(2)
    await router.close()
  })
})

describe('tenants.create with spares and hooks', () => {
  it('promises beforeCreate an empty schema', async () => {
    const seen: unknown[] = []
    const fleet = await setUp(LOANS, {
      hooks: {
        beforeCreate: async ({ tenant, db }) => {
          const { rows } = await db.query(
            `select current_schema() = $1 as own, to_regclass('loans') as loans`,
            [tenant.schema],
          )
          seen.push(...rows)
        },
      },
    })
    await fleet.router.tenants.spares.fill()
    const before = await fleet.spareSchemas()
    await fleet.router.tenants.create({ slug: 'acme' })
    expect(seen).toEqual([{ own: true, loans: null }])
    // One was taken; the next one may be there already.
    const after = await fleet.spareSchemas()
    expect(before.filter((name) => after.includes(name))).toHaveLength(before.length - 1)
    await fleet.router.close()
  })

  it.each([
    ['makes something in it', 'create table extra (id int)'],
    [
      'sets default privileges',
      'alter default privileges in schema "S" grant select on tables to public',
    ],
    ['grants it', 'grant usage on schema "S" to public'],
    ['comments on it', `comment on schema "S" is 'mine'`],
  ])('runs the migrations where beforeCreate %s', async (_, sql) => {
    const fleet = await setUp(LOANS, {
      hooks: { beforeCreate: ({ db, tenant }) => db.query(sql.replace('S', tenant.schema)) },
    })
    await fleet.router.tenants.spares.fill()
    await fleet.router.tenants.create({ slug: 'acme' })
    expect(await fleet.spareSchemas()).toHaveLength(2)
    expect(await fleet.one(`select lender from "${fleet.prefix}acme".loans`)).toBe('seed')
    await fleet.router.close()
  })
})

describe('spares', () => {
  it('are no tenants: not listed, selected, resolved, audited, found or counted', async () => {
    const { router, shared, prefix } = await setUp(LOANS, { domains: { base: 'app.test' } })
    await router.tenants.spares.fill()
    await router.tenants.create({ slug: 'acme' })
    expect(await router.tenants.list()).toMatchObject([{ slug: 'acme' }])
    // The one that was not taken, and perhaps its successor.
    const [spare = ''] = (await router.tenants.spares.status()).ready
    expect(spare).toMatch(new RegExp(`^${prefix}_spare_`))
    const { findings } = await router.tenants.audit()
    expect(findings.filter((found) => found.schema?.startsWith(prefix))).toEqual([])
    expect(await router.whoWill(select.all())).toEqual([shared, `main_${prefix}`, `${prefix}acme`])
    expect(await router.whoWill(select.tenants())).toEqual([`${prefix}acme`])
    expect(await router.whoWill(select.matching(`${prefix}*`))).toEqual([`${prefix}acme`])
    await expect(router.whoWill(select.names(spare))).rejects.toMatchObject({
      code: 'SELECTOR_UNKNOWN',
    })
    const visited: string[] = []
    await router.each(select.tenants(), async (_, { schema }) => void visited.push(schema))
    expect(visited).toEqual([`${prefix}acme`])
    expect(await router.resolve({ host: `${spare.slice(prefix.length)}.app.test` })).toBeUndefined()
    expect(await router.migrations.status({ select: select.tenants() })).toHaveLength(1)
    await expect(router.withSchema(spare, () => 1)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    })
    await router.close()
  })

  it('have names that no tenant can have', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.spares.fill()
    const [spare = ''] = (await router.tenants.spares.status()).ready
    await expect(router.tenants.create({ slug: spare.slice(prefix.length) })).rejects.toMatchObject(
      { code: 'NAME_INVALID' },
    )
    await router.tenants.create({ slug: 'acme' })
    await expect(
      router.tenants.rename('acme', { schema: `${prefix}_spare_mine` }),
    ).rejects.toMatchObject({ code: 'NAME_INVALID' })
    await router.close()
  })

  it('are left out of a run with a limit, names, a filter or an exclusion', async () => {
    const old = await setUp()
    await old.router.tenants.spares.fill()
    await old.router.tenants.create({ slug: 'acme' })
    await old.router.close()
    const { router, prefix } = await deploy(old, GROWN)
    const spares = async (options: Parameters<typeof router.migrations.up>[0]): Promise<number> =>
      (await router.migrations.up(options)).outcomes.filter(({ spare }) => spare).length
    expect(await spares({ limit: 5 })).toBe(0)
    expect(await spares({ select: select.names('acme') })).toBe(0)
    expect(await spares({ select: select.tenants({ status: ['active'] }) })).toBe(0)
    const acme = select.names('acme')
    expect(await spares({ select: select.intersect(select.tenants(), acme) })).toBe(0)
    expect(await spares({ to: 3 })).toBe(0)
    expect(await spares({ exclude: [`${prefix}*`] })).toBe(0)
    expect(await spares({ select: select.union(acme, select.tenants()) })).toBeGreaterThan(0)
    expect(await spares({ select: select.tenants() })).toBe(1)
    await router.close()
  })

  it('are dropped on request', async () => {
    const { router, spareSchemas } = await setUp()
    await router.tenants.spares.fill()
    expect(await router.tenants.spares.drop()).toBe(2)
    expect(await spareSchemas()).toEqual([])
    expect(await router.tenants.spares.status()).toMatchObject({ wanted: 2, ready: [], stale: [] })
    await router.close()
  })

  it('are made again where somebody has dropped the schema by hand', async () => {
    const { router, spareSchemas } = await setUp()
    await router.tenants.spares.fill()
    const [first] = await spareSchemas()
    await database.admin.query(`drop schema "${first}" cascade`)
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.create({ slug: 'beta' })
    await router.tenants.spares.fill()
    expect((await router.tenants.spares.status()).ready).toHaveLength(2)
    await router.close()
  })

  it('are made in the background once the router is used, and again after they were taken', async () => {
    const { router, spareSchemas } = await setUp()
    expect(await spareSchemas()).toEqual([])
    await router.tenants.create({ slug: 'acme' })
    await expect.poll(spareSchemas, WITHIN).toHaveLength(2)
    const before = await spareSchemas()
    await router.tenants.create({ slug: 'beta' })
    const after = await spareSchemas()
    expect(before.filter((name) => after.includes(name))).toHaveLength(1)
    await expect.poll(spareSchemas, WITHIN).toHaveLength(2)
    await router.close()
  })

  it('are made by nobody after close()', async () => {
    const { router, spareSchemas } = await setUp()
    await router.tenants.find('nobody')
    await router.close()
    const left = await spareSchemas()
    await router.tenants.spares.fill()
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.create({ slug: 'beta' })
    await router.tenants.spares.fill()
    expect((await spareSchemas()).length).toBeLessThanOrEqual(Math.max(0, left.length - 2))
  })

  it('are in no database of a service that wants none', async () => {
    const { router, one, shared } = await setUp(LOANS, { spares: 0 })
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.spares.fill()
    expect(await router.tenants.spares.status()).toMatchObject({ wanted: 0, ready: [] })
    expect(await one(`select to_regclass('${shared}.tenantry_spares')`)).toBeNull()
  })

  it('say what went wrong, and are tried again', async () => {
    const broken = { '1_broken.sql': 'create table loans (id nothing)' }
    const { router } = await setUp(broken)
    await expect(router.tenants.spares.fill()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    await router.tenants.find('nobody')
    await expect
      .poll(async () => (await router.tenants.spares.status()).problem, WITHIN)
      .toMatchObject({ code: 'MIGRATION_FAILED' })
    await router.close()
  })
})

describe('spares of a set that cannot be renamed', () => {
  it.each([
    [
      'a function’s body',
      `do $$ begin execute format('create function f() returns int language sql as %L',
        format('select count(*)::int from %I.loans', current_schema())); end $$`,
      'function f()',
    ],
    [
      'a default',
      `do $$ begin execute format('alter table loans alter lender set default %L',
        current_schema()); end $$`,
      'column loans.lender',
    ],
    ['a row', `insert into loans select 2, 'of ' || current_schema()`, 'rows of table loans'],
  ])('are not made because of %s; tenants are created without', async (_, sql, place) => {
    const { router, prefix, one, spareSchemas } = await setUp({ ...LOANS, '3_name.sql': sql })
    const found: unknown = await router.tenants.spares.fill().catch((error: unknown) => error)
    expect(isTenantryError(found, 'SPARE_UNSAFE') && found.candidates).toEqual([place])
    expect(await spareSchemas()).toEqual([])
    await router.tenants.create({ slug: 'acme' })
    expect(await one(`select count(*)::int from "${prefix}acme".loans`)).toBeGreaterThan(0)
    await router.close()
  })

  it('are dropped when a new migration makes them so', async () => {
    const old = await setUp()
    await old.router.tenants.spares.fill()
    await old.router.close()
    const { router, spareSchemas } = await deploy(old, {
      ...LOANS,
      '3_name.sql': 'insert into loans select 2, current_schema()',
    })
    const { outcomes } = await router.migrations.up()
    expect(outcomes.filter(({ spare }) => spare)).toMatchObject([
      { status: 'skipped', reason: expect.stringContaining('rows of table loans') as string },
      { status: 'skipped' },
    ])
    expect(await spareSchemas()).toEqual([])
    await router.close()
  })

  it('are not made of code that is told the tenant, unless it says that it does not care', async () => {
    const prefix = database.prefix()
    const tenants = (anyTenant: boolean): SchemaRouterOptions['schemas'] => ({
      shared: { name: `shared_${prefix}` },
      tenants: {
        prefix,
        migrations: code([
          { name: 'loans', anyTenant, up: (db) => db.query('create table loans (id int)') },
        ]),
      },
    })
    const open = (anyTenant: boolean): SchemaRouter =>
      new SchemaRouter({ pool: database.pool(), schemas: tenants(anyTenant) ?? {}, spares: 1 })
    const wary = open(false)
    await expect(wary.tenants.spares.fill()).rejects.toMatchObject({
      code: 'SPARE_UNSAFE',
      candidates: ['loans'],
    })
    await wary.tenants.create({ slug: 'acme' })
    await wary.close()
    const free = open(true)
    await free.tenants.spares.fill()
    expect((await free.tenants.spares.status()).ready).toHaveLength(1)
    await free.close()
  })
})
