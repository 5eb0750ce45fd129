import { SchemaRouter, type SchemaRouterOptions } from 'tenantry'
import { afterEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
const opened: SchemaRouter[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((router) => router.close()))
})

/** A fleet with the tenants `acme` and `my_shop`, and whatever domains the test gives. */
async function setUp(
  domains: SchemaRouterOptions['domains'],
  main: { readonly domains?: readonly string[]; readonly fallbackDomains?: readonly string[] } = {},
): Promise<{ readonly router: SchemaRouter; another(): SchemaRouter }> {
  const prefix = database.prefix()
  const another = (): SchemaRouter => {
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: {
        shared: { name: `shared_${prefix}` },
        static: { [`main_${prefix}`]: main },
        tenants: { prefix },
      },
      ...(domains && { domains }),
    })
    opened.push(router)
    return router
  }
  const router = another()
  await router.tenants.create({ slug: 'acme', domains: ['acme.test'] })
  await router.tenants.create({ slug: 'my_shop' })
  return { router, another }
}

/** The slug of a tenant, `static` or `nowhere`. */
async function led(router: SchemaRouter, host: string, path?: string): Promise<string> {
  const found = await router.resolve({ host, path })
  if (found === undefined) return 'nowhere'
  return found.kind === 'static' ? 'static' : found.tenant.slug
}

describe('a base domain', () => {
  it('has the slug as sub-domain, in any case, with a port and with a trailing dot', async () => {
    const { router } = await setUp({ base: ['example.com', 'eu.example.org'] })
    expect(await led(router, 'my_shop.example.com')).toBe('my_shop')
    expect(await led(router, 'ACME.EU.Example.org.:8443', '/loans?page=2')).toBe('acme')
    expect(await led(router, 'acme.example.org')).toBe('nowhere')
    expect(await led(router, 'acme.notexample.com')).toBe('nowhere')
    expect(await led(router, 'acme.example.com.evil.test')).toBe('nowhere')
  })

  it('is read without www. only where that is configured', async () => {
    const strict = await setUp({ base: 'example.com' })
    expect(await led(strict.router, 'www.acme.example.com')).toBe('nowhere')
    expect(await led(strict.router, 'www.acme.test')).toBe('nowhere')
    const loose = await setUp({ base: 'example.com', ignoreWww: true })
    expect(await led(loose.router, 'www.acme.example.com')).toBe('acme')
    expect(await led(loose.router, 'WWW.acme.test:80')).toBe('acme')
    expect(await led(loose.router, 'www.www.acme.test')).toBe('nowhere')
  })

  it('needs no confirmation, where other domains do', async () => {
    const { router } = await setUp({ base: 'example.com', requireVerified: true })
    const { domains } = router.tenants
    expect(await domains.add('acme', 'loans.example.com')).toMatchObject({ verified: true })
    expect(await led(router, 'loans.example.com')).toBe('acme')
    expect(await led(router, 'acme.example.com')).toBe('acme')
    expect(await led(router, 'acme.test')).toBe('nowhere')
  })
})

describe('a fallback domain', () => {
  it('counts only until a tenant has the same one', async () => {
    const { router } = await setUp(undefined, { fallbackDomains: ['home.test', 'home.test/eu'] })
    expect(await led(router, 'HOME.test:80')).toBe('static')
    expect(await led(router, 'other.test')).toBe('nowhere')
    await router.tenants.domains.add('acme', 'home.test/eu')
    expect(await led(router, 'home.test', '/eu/loans')).toBe('acme')
    expect(await led(router, 'home.test', '/europe')).toBe('static')
  })

  it('comes after the sub-domains of a base', async () => {
    const { router } = await setUp({ base: 'example.com' }, { fallbackDomains: ['*'] })
    expect(await led(router, 'acme.example.com')).toBe('acme')
    expect(await led(router, 'nobody.example.com')).toBe('static')
  })
})

describe('the primary domain', () => {
  it('is one, whoever sets it at the same time', async () => {
    const { router, another } = await setUp(undefined)
    const names = ['a.test', 'b.test', 'c.test', 'd.test']
    for (const name of names) await router.tenants.domains.add('acme', name)
    await Promise.all(names.map((name) => another().tenants.domains.setPrimary('acme', name)))
    const listed = await router.tenants.domains.list('acme')
    expect(listed.filter(({ primary }) => primary)).toHaveLength(1)
  })

  it('is no place to redirect to before it is verified', async () => {
    const { router } = await setUp({ requireVerified: true })
    const { domains } = router.tenants
    await domains.add('acme', 'second.test', { verified: true })
    expect(await router.resolve({ host: 'second.test' })).not.toHaveProperty('redirect')
    await domains.verify('acme', 'acme.test')
    expect(await router.resolve({ host: 'second.test' })).toMatchObject({
      redirect: { host: 'acme.test', path: '' },
    })
  })
})

describe('an internationalised domain', () => {
  it('is one and the same in every spelling', async () => {
    const { router } = await setUp(undefined)
    await router.tenants.domains.add('acme', 'Straße.test')
    for (const host of ['straße.test', 'STRAßE.test:443', 'xn--strae-oqa.test', 'ｓtraße.test']) {
      expect(await led(router, host)).toBe('acme')
    }
    await expect(router.tenants.domains.add('my_shop', 'xn--strae-oqa.test')).rejects.toMatchObject(
      {
        code: 'DOMAIN_TAKEN',
      },
    )
  })
})

describe('what is no host', () => {
  it.each([
    'acme.test\\@evil.test',
    'evil.test\\@acme.test',
    'user:secret@acme.test',
    'acme..test',
    'acme.test..',
    '[acme.test]',
    '[::ffff:127.0.0.1]',
    'acme.test:65536',
    'acme.test, evil.test',
    `${'a'.repeat(64)}.acme.test`,
  ])('leads nowhere, and cannot be added: %j', async (host) => {
    const { router } = await setUp({ base: 'acme.test' })
    expect(await led(router, host)).toBe('nowhere')
    await expect(router.tenants.domains.add('acme', host)).rejects.toMatchObject({
      code: 'NAME_INVALID',
    })
  })
})
