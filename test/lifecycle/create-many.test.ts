import {
  type CreateTenant,
  type RunReport,
  SchemaRouter,
  type TenantHooks,
  isTenantryError,
} from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, type FleetOptions, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = { '1_create_loans.sql': 'create table loans (id int)' }

async function setUp(options?: FleetOptions): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants: LOANS }, options)
  await fleet.router.migrations.up()
  return fleet
}

const tenantsOf = (...slugs: readonly string[]): readonly CreateTenant[] =>
  slugs.map((slug) => ({ slug }))

/** The report of a run that failed. */
async function reportOf(run: Promise<RunReport>): Promise<RunReport> {
  const error: unknown = await run.catch((thrown: unknown) => thrown)
  if (!isTenantryError(error, 'RUN_FAILED')) throw new Error('It did not fail.', { cause: error })
  return error.report as RunReport
}

describe('tenants.createMany', () => {
  it('creates each tenant and says so in the order of the list', async () => {
    const { router, prefix } = await setUp()
    const report = await router.tenants.createMany([
      { slug: 'beta', name: 'Beta', domains: ['beta.example.com'] },
      { slug: 'acme', metadata: { plan: 'gold' } },
    ])
    const created = { kind: 'tenant', status: 'done', applied: ['1_create_loans.sql'], attempts: 1 }
    expect(report.outcomes).toMatchObject([
      { ...created, schema: `${prefix}beta`, tenant: 'beta' },
      { ...created, schema: `${prefix}acme`, tenant: 'acme' },
    ])
    expect(await router.tenants.get('beta')).toMatchObject({ name: 'Beta', status: 'active' })
    expect(await router.tenants.get('acme')).toMatchObject({ metadata: { plan: 'gold' } })
    expect(await router.tenants.domains.list('beta')).toMatchObject([{ host: 'beta.example.com' }])
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('makes nothing of an empty list', async () => {
    const { router } = await setUp()
    expect(await router.tenants.createMany([])).toEqual({ outcomes: [], durationMs: 0 })
  })

  it('creates the others when one fails, and carries the report', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await router.tenants.create({ slug: 'beta' })
    await database.admin.query(`create schema ${prefix}gamma`)
    const many = tenantsOf('acme', 'beta', 'gamma', 'delta')
    const { outcomes } = await reportOf(router.tenants.createMany(many))
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'failed', applied: [], error: { code: 'TENANT_EXISTS' } },
      { tenant: 'gamma', status: 'failed', applied: [], error: { code: 'SCHEMA_EXISTS' } },
      { tenant: 'delta', status: 'done' },
    ])
    const left = await router.tenants.list()
    expect(left.map(({ slug }) => slug)).toEqual(['acme', 'beta', 'delta'])
  })

  it('begins no further tenant after a failure, if it is told to', async () => {
    const { router, prefix } = await setUp()
    await router.tenants.create({ slug: 'beta' })
    const many = tenantsOf('acme', 'beta', 'gamma', 'delta')
    const run = router.tenants.createMany(many, { concurrency: 1, onFailure: 'stop' })
    expect((await reportOf(run)).outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'failed' },
      { tenant: 'gamma', status: 'skipped', reason: `schema "${prefix}beta" failed before` },
      { tenant: 'delta', status: 'skipped', attempts: 0 },
    ])
    expect(await router.tenants.find('gamma')).toBeUndefined()
  })

  it('begins no further tenant once it is aborted, and tells of each outcome as it comes', async () => {
    const { router } = await setUp()
    const stop = new AbortController()
    const heard: unknown[] = []
    const report = await router.tenants.createMany(tenantsOf('acme', 'beta', 'gamma'), {
      concurrency: 1,
      signal: stop.signal,
      onOutcome: (outcome) => {
        heard.push(outcome)
        if (outcome.tenant === 'beta') stop.abort()
      },
    })
    expect(report.outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'done' },
      { tenant: 'gamma', status: 'skipped', reason: 'the run was stopped' },
    ])
    expect(heard).toEqual(report.outcomes)
  })

  it('calls the hooks of each tenant; one that throws fails its tenant only', async () => {
    const fleet = await setUp({
      hooks: {
        afterCreate: ({ tenant, db }) => {
          if (tenant.slug === 'beta') throw new Error('no, says the hook')
          return db.query('insert into loans values ($1)', [tenant.slug.length])
        },
      },
    })
    const { router, prefix } = fleet
    const many = tenantsOf('acme', 'beta')
    expect((await reportOf(router.tenants.createMany(many))).outcomes).toMatchObject([
      { tenant: 'acme', status: 'done' },
      { tenant: 'beta', status: 'failed', error: { message: expect.stringContaining('no, says') } },
    ])
    expect(await fleet.one(`select id from ${prefix}acme.loans`)).toBe(4)
    expect(await fleet.schemaExists(`${prefix}beta`)).toBe(false)
  })

  it('never begins more than the pool has clients for, so that nobody waits too long', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, { tenants: LOANS })
    const pool = database.pool({ max: 1 })
    // Six waits of this kind, one behind the other, are more than the patience of a scope.
    const hooks: TenantHooks = { afterCreate: ({ db }) => db.query('select pg_sleep(0.1)') }
    const router = new SchemaRouter({ pool, schemas, hooks, scope: { acquireTimeout: 300 } })
    const slugs = ['a', 'b', 'c', 'd', 'e', 'f']
    const { outcomes } = await router.tenants.createMany(tenantsOf(...slugs), { concurrency: 50 })
    expect(outcomes.map(({ status }) => status)).toEqual(slugs.map(() => 'done'))
  })
})

describe('tenants.createMany refuses, before anything is made,', () => {
  it.each<[string, readonly unknown[], object]>([
    ['a slug that is there twice', [{ slug: 'a' }, { slug: 'b' }, { slug: 'a' }], {}],
    [
      'a domain that is there twice, however it is written',
      [
        { slug: 'a', domains: ['x.example.com/beta'] },
        { slug: 'b', domains: ['X.example.com./beta'] },
      ],
      {},
    ],
    [
      'a domain that one tenant has twice',
      [{ slug: 'a', domains: ['x.example.com', 'x.example.com'] }],
      {},
    ],
    ['what is no tenant', [{ slug: 'a' }, 'b'], {}],
    ['nothing', [{ slug: 'a' }, null], {}],
    ['a tenant without a slug', [{ slug: 'a' }, { name: 'b' }], {}],
    ['a misspelt key', [{ slug: 'a' }, { slug: 'b', domain: ['b.example.com'] }], {}],
    ['a name that is no text', [{ slug: 'a' }, { slug: 'b', name: 5 }], {}],
    ['metadata that are none', [{ slug: 'a' }, { slug: 'b', metadata: [] }], {}],
    ['a concurrency of nothing', [{ slug: 'a' }], { concurrency: 0 }],
    ['a reaction that does not exist', [{ slug: 'a' }], { onFailure: 'ignore' }],
    ['a misspelt option', [{ slug: 'a' }], { parallel: 4 }],
  ])('%s', async (_, tenants, options) => {
    const { router } = await setUp()
    const wrong: unknown = tenants
    const run = router.tenants.createMany(wrong as readonly CreateTenant[], options)
    await expect(run).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    expect(await router.tenants.list()).toEqual([])
  })

  it('a slug that is none, at the end of the list', async () => {
    const { router } = await setUp()
    const run = router.tenants.createMany(tenantsOf('acme', 'Beta'))
    await expect(run).rejects.toMatchObject({ code: 'NAME_INVALID' })
    expect(await router.tenants.list()).toEqual([])
  })

  it('a text instead of a list', async () => {
    const { router } = await setUp()
    const wrong: unknown = 'acme'
    const run = router.tenants.createMany(wrong as readonly CreateTenant[])
    await expect(run).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'tenants' })
  })
})
