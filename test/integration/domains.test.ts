import { type Destination, type RequestAddress, SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Setup {
  readonly router: SchemaRouter
  readonly main: string
  /** Another process on the same fleet. */
  another(): SchemaRouter
}

/** Tenants `acme` and `beta`, and a static schema with domains of its own. */
async function setUp(): Promise<Setup> {
  const prefix = database.prefix()
  const main = `main_${prefix}`
  const schemas = {
    ...(await migrations.fleet(prefix, {})),
    static: { [main]: { domains: ['app.example.com', 'example.com/app', 'example.com/app/deep'] } },
  }
  const another = (): SchemaRouter => new SchemaRouter({ pool: database.pool(), schemas })
  const router = another()
  await router.tenants.create({
    slug: 'acme',
    domains: ['acme.example.com', 'example.com/acme', 'bücher.example'],
  })
  await router.tenants.create({ slug: 'beta', domains: ['example.com/beta'] })
  return { router, main, another }
}

/** Where a request leads, in a word. */
function named(destination: Destination | undefined): string | undefined {
  if (destination === undefined) return undefined
  if (destination.kind === 'static') return destination.schema
  const { tenant, domain } = destination
  return `${tenant.slug} by ${domain.host}${domain.path}`
}

describe('tenants.domains.add', () => {
  it('adds a domain in its normal form', async () => {
    const { router } = await setUp()
    expect(await router.tenants.domains.add('acme', 'Shop.Example.com.:8443/Beta/')).toEqual({
      tenant: 'acme',
      host: 'shop.example.com',
      path: '/Beta',
      primary: false,
      verified: true,
    })
  })

  it('makes the first domain of a tenant its primary one', async () => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'gamma' })
    const { domains } = router.tenants
    await domains.add('gamma', 'zeta.example.com')
    await domains.add('gamma', 'alpha.example.com')
    expect(await domains.list('gamma')).toMatchObject([
      { host: 'zeta.example.com', primary: true },
      { host: 'alpha.example.com', primary: false },
    ])
  })

  it('makes one of several first domains the primary one when they come at once', async () => {
    const { router, another } = await setUp()
    await router.tenants.create({ slug: 'gamma' })
    const routers = [router, another(), another(), another()]
    await Promise.all(
      routers.map((each, index) => each.tenants.domains.add('gamma', `g${index}.example.com`)),
    )
    const added = await router.tenants.domains.list('gamma')
    expect(added.map(({ primary }) => primary)).toEqual([true, false, false, false])
  })

  it.each([
    ['its own', 'acme.example.com'],
    ['its own in another spelling', 'ACME.example.com.:443'],
    ['another tenant’s', 'example.com/beta/'],
    ['a static schema’s', 'app.example.com'],
    ['a static schema’s path', 'Example.com/app'],
  ])('refuses %s', async (_, domain) => {
    const { router } = await setUp()
    const before = await router.tenants.domains.list('acme')
    await expect(router.tenants.domains.add('acme', domain)).rejects.toMatchObject({
      code: 'DOMAIN_TAKEN',
    })
    expect(await router.tenants.domains.list('acme')).toEqual(before)
  })

  it('allows a path below a static schema’s host', async () => {
    const { router } = await setUp()
    expect(await router.tenants.domains.add('acme', 'app.example.com/acme')).toMatchObject({
      path: '/acme',
    })
  })

  it('refuses a tenant that nobody created, with or without a registry', async () => {
    const { router } = await setUp()
    const empty = new SchemaRouter({
      pool: database.pool(),
      schemas: await migrations.fleet(database.prefix(), {}),
    })
    for (const { tenants } of [router, empty]) {
      await expect(tenants.domains.add('nobody', 'x.example.com')).rejects.toMatchObject({
        code: 'TENANT_NOT_FOUND',
        tenant: 'nobody',
      })
    }
  })

  it.each(['https://x.example.com', '', '*.example.com', 'x.example.com/../y'])(
    'refuses %j, which is no domain',
    async (domain) => {
      const { router } = await setUp()
      await expect(router.tenants.domains.add('acme', domain)).rejects.toMatchObject({
        code: 'NAME_INVALID',
      })
    },
  )
})

describe('tenants.create', () => {
  it('refuses a domain that leads to a static schema', async () => {
    const { router } = await setUp()
    const creating = router.tenants.create({ slug: 'gamma', domains: ['APP.example.com'] })
    await expect(creating).rejects.toMatchObject({
      code: 'DOMAIN_TAKEN',
      domain: 'app.example.com',
    })
    expect(await router.tenants.find('gamma')).toBeUndefined()
  })
})

describe('resolve', () => {
  it('finds tenants and static schemas by host and path', async () => {
    const { router, main } = await setUp()
    const expected: readonly (readonly [RequestAddress, string | undefined])[] = [
      [{ host: 'acme.example.com' }, 'acme by acme.example.com'],
      [{ host: 'acme.example.com', path: '/loans/7' }, 'acme by acme.example.com'],
      [{ host: 'ACME.Example.COM' }, 'acme by acme.example.com'],
      [{ host: 'acme.example.com:8080' }, 'acme by acme.example.com'],
      [{ host: 'acme.example.com.' }, 'acme by acme.example.com'],
      [{ host: 'acme.example.com.:8080' }, 'acme by acme.example.com'],
      [{ host: 'xn--bcher-kva.example' }, 'acme by xn--bcher-kva.example'],
      [{ host: 'Bücher.example' }, 'acme by xn--bcher-kva.example'],
      [{ host: 'app.example.com' }, main],
      [{ host: 'APP.example.com.:3000', path: '/anything' }, main],
    ]
    for (const [address, destination] of expected) {
      expect(named(await router.resolve(address)), JSON.stringify(address)).toBe(destination)
    }
  })

  it('takes a path for a prefix only as a whole segment', async () => {
    const { router } = await setUp()
    const path = async (text: string): Promise<string | undefined> =>
      named(await router.resolve({ host: 'example.com', path: text }))
    expect(await path('/beta')).toBe('beta by example.com/beta')
    expect(await path('/beta/')).toBe('beta by example.com/beta')
    expect(await path('/beta/loans')).toBe('beta by example.com/beta')
    expect(await path('/beta?page=2')).toBe('beta by example.com/beta')
    expect(await path('/betamax')).toBeUndefined()
    expect(await path('/beta-max')).toBeUndefined()
    expect(await path('/Beta')).toBeUndefined()
    expect(await path('/x/beta')).toBeUndefined()
    expect(await path('/')).toBeUndefined()
    expect(named(await router.resolve({ host: 'example.com' }))).toBeUndefined()
  })

  it('lets the longest prefix win, among tenants and static schemas alike', async () => {
    const { router, main } = await setUp()
    await router.tenants.domains.add('acme', 'example.com')
    await router.tenants.domains.add('beta', 'example.com/app/de')
    await router.tenants.domains.add('beta', 'example.com/app/deep/er')
    const path = async (text: string): Promise<string | undefined> =>
      named(await router.resolve({ host: 'example.com', path: text }))
    expect(await path('/')).toBe('acme by example.com')
    expect(await path('/betamax')).toBe('acme by example.com')
    expect(await path('/app')).toBe(main)
    expect(await path('/app/d')).toBe(main)
    expect(await path('/app/de')).toBe('beta by example.com/app/de')
    expect(await path('/app/deep')).toBe(main)
    expect(await path('/app/deep/er/x')).toBe('beta by example.com/app/deep/er')
  })

  it('finds a domain as soon as it is added', async () => {
    const { router } = await setUp()
    expect(await router.resolve({ host: 'new.example.com' })).toBeUndefined()
    await router.tenants.domains.add('beta', 'new.example.com')
    expect(named(await router.resolve({ host: 'new.example.com' }))).toBe('beta by new.example.com')
  })

  it('says of a suspended tenant that it is suspended', async () => {
    const { router } = await setUp()
    await router.tenants.suspend('acme')
    expect(await router.resolve({ host: 'acme.example.com' })).toMatchObject({
      kind: 'tenant',
      tenant: { slug: 'acme', status: 'suspended' },
    })
  })

  it.each([
    'unknown.example.com',
    'example.org',
    'com',
    'sub.acme.example.com',
    'acme.example.com.evil.org',
    '',
    ' ',
    '.',
    'acme.example.com/evil',
    'acme.example.com#',
    '%61cme.example.com',
    'acme.example.com\0',
    'acme.example\n.com',
    '[::1]:8080',
    "' or true --",
    'x'.repeat(5_000),
    '\ud800',
  ])('leads nowhere for the host %j', async (host) => {
    const { router } = await setUp()
    expect(await router.resolve({ host, path: '/' })).toBeUndefined()
  })

  it('leads nowhere for a request without a host', async () => {
    const { router } = await setUp()
    const request: unknown = { host: undefined, path: '/' }
    expect(await router.resolve(request as RequestAddress)).toBeUndefined()
  })

  it('leads nowhere, and makes nothing, in a database without a registry', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {})
    const pool = database.pool({ options: '-c default_transaction_read_only=on' })
    const router = new SchemaRouter({ pool, schemas })
    expect(await router.resolve({ host: 'acme.example.com' })).toBeUndefined()
  })
})

describe('tenants.domains.list', () => {
  it('has the primary domain first, and then the others by name', async () => {
    const { router } = await setUp()
    await router.tenants.domains.add('acme', 'aaa.example.com')
    const listed = await router.tenants.domains.list('acme')
    expect(listed.map(({ host, path }) => host + path)).toEqual([
      'acme.example.com',
      'aaa.example.com',
      'example.com/acme',
      'xn--bcher-kva.example',
    ])
  })

  it('has nothing for a tenant without domains, and in a database without a registry', async () => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'gamma' })
    expect(await router.tenants.domains.list('gamma')).toEqual([])
    const schemas = await migrations.fleet(database.prefix(), {})
    const empty = new SchemaRouter({ pool: database.pool(), schemas })
    expect(await empty.tenants.domains.list('gamma')).toEqual([])
  })
})
