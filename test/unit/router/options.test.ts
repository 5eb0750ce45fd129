import type { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { type SchemaRouterOptions, resolveOptions } from '../../../src/router/options.js'
import { thrownBy } from '../thrown.js'

/** A pool that nothing may be asked of. */
const pool: Pool = new Proxy(Object.create(null), {
  get(_, name) {
    throw new Error(`The pool was asked for ${String(name)}.`)
  },
})

type Schemas = SchemaRouterOptions['schemas']

const resolve = (schemas: Schemas): ReturnType<typeof resolveOptions> =>
  resolveOptions({ pool, ...(schemas && { schemas }) })

describe('resolveOptions', () => {
  it('has public, no static schema and the prefix tenant_ when nothing is said', () => {
    const { layout, staticDomains } = resolve(undefined)
    expect(layout.shared.schema).toBe('public')
    expect([...layout.static.keys()]).toEqual([])
    expect(layout.tenants).toEqual({ prefix: 'tenant_', source: undefined, extras: [] })
    expect(staticDomains).toEqual([])
  })

  it('normalises the domains of static schemas', () => {
    const { staticDomains } = resolve({
      static: { main: { domains: ['App.Example.com:8080', 'example.com/main/'] } },
    })
    expect(staticDomains).toEqual([
      { schema: 'main', domain: { host: 'app.example.com', path: '' } },
      { schema: 'main', domain: { host: 'example.com', path: '/main' } },
    ])
  })

  it.each(['', 'Tenant_', 'te"nant_', "te'nant_", 'pg_', '1_', 'a;b', 'tenant.', 'x'.repeat(63)])(
    'refuses the prefix %j, and shows it as it was given',
    (prefix) => {
      expect(thrownBy(() => resolve({ tenants: { prefix } }))).toMatchObject({
        code: 'NAME_INVALID',
        message: expect.stringContaining(`${JSON.stringify(prefix)} is not a valid prefix`),
      })
    },
  )

  it.each(['t_', 'x'.repeat(62), 'a-', '_'])('accepts the prefix %j', (prefix) => {
    // `_` would begin every other name with an underscore, too, but there is none here.
    expect(resolve({ tenants: { prefix } }).layout.tenants.prefix).toBe(prefix)
  })

  it.each<readonly [string, Schemas]>([
    ['a shared schema with a quote', { shared: { name: 'pub"lic' } }],
    ['a shared schema in upper case', { shared: { name: 'Public' } }],
    ['a static schema in upper case', { static: { Main: {} } }],
    ['a static schema of PostgreSQL', { static: { pg_catalog: {} } }],
    ['a search path with options', { tenants: { searchPath: ['public,other'] } }],
    ['a domain that is a URL', { static: { main: { domains: ['https://x.example.com'] } } }],
  ])('refuses %s', (_, schemas) => {
    expect(thrownBy(() => resolve(schemas))).toMatchObject({ code: 'NAME_INVALID' })
  })

  it.each<readonly [string, Schemas]>([
    ['a static schema that is the shared one', { static: { public: {} } }],
    ['a static schema with the tenants’ prefix', { static: { tenant_x: {} } }],
    [
      'a shared schema with the tenants’ prefix',
      { shared: { name: 'tenants' }, tenants: { prefix: 'ten' } },
    ],
  ])('refuses %s', (_, schemas) => {
    expect(thrownBy(() => resolve(schemas))).toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it.each<readonly [string, unknown]>([
    ['guard', true],
    ['guard', 'off'],
    ['guard', null],
    ['guard', {}],
    ['guard', { allow: 'reports' }],
    ['guard.allow', { allow: [1] }],
    ['guard.allow', { allow: [''] }],
    ['guard.alow', { allow: [], alow: ['reports'] }],
  ])('refuses %s in the guard %j', (option, guard) => {
    const given: object = { pool, guard }
    expect(thrownBy(() => resolveOptions(given))).toMatchObject({ code: 'OPTIONS_INVALID', option })
  })

  it('has a guard that allows nothing, unless it is told otherwise', () => {
    expect(resolve(undefined).layout.guard).toEqual({ allow: [] })
    const guard = { allow: ['reports', 'Audit'] }
    expect(resolveOptions({ pool, guard }).layout.guard).toEqual(guard)
    expect(resolveOptions({ pool, guard: false }).layout.guard).toBeUndefined()
  })

  it('refuses a domain that leads to two static schemas', () => {
    const schemas = {
      static: { main: { domains: ['example.com'] }, audit: { domains: ['EXAMPLE.com.'] } },
    }
    expect(thrownBy(() => resolve(schemas))).toMatchObject({
      code: 'DOMAIN_TAKEN',
      domain: 'example.com',
      schema: 'main',
    })
  })

  it.each([
    { tenants: { searchPath: 'public' } },
    { static: { main: { domains: 'app.example.com' } } },
  ])('refuses a text where a list belongs: %j', (schemas) => {
    const wrong: unknown = schemas
    expect(thrownBy(() => resolve(wrong as Schemas))).toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('refuses both a pool and a connection string, and neither', () => {
    const both = { pool, connectionString: 'postgres://localhost/app' }
    for (const options of [both, {}]) {
      expect(thrownBy(() => resolveOptions(options))).toMatchObject({
        code: 'OPTIONS_INVALID',
        option: 'pool',
      })
    }
  })

  it('owns the pool that it makes, and only that', async () => {
    expect(resolve(undefined).ownsPool).toBe(false)
    const own = resolveOptions({ connectionString: 'postgres://localhost:1/app' })
    expect([own.ownsPool, own.pool.totalCount]).toEqual([true, 0])
    await own.pool.end()
  })
})

describe('what routers are told', () => {
  it('names one schema for hosts that nobody has', () => {
    const everyHost = { fallbackDomains: ['*'] }
    expect(thrownBy(() => resolve({ static: { main: everyHost, blog: everyHost } }))).toMatchObject(
      { code: 'DOMAIN_TAKEN', domain: '*', schema: 'blog' },
    )
  })

  it.each([7, {}, { connectionString: 7 }, null])('is no %j for cache.listen', (listen) => {
    const cache: object = { listen }
    expect(thrownBy(() => resolveOptions({ pool, cache }))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'cache.listen',
    })
  })

  const router = new SchemaRouter({ connectionString: 'postgres://localhost:1/nowhere' })
  const rows: unknown = []
  const fn = rows as () => Promise<void>

  it.each([
    ['withTenant', () => router.withTenant('acme', fn)],
    ['withSchema', () => router.withSchema('public', fn)],
    ['runAs', () => router.runAs('acme', fn)],
    ['each', () => router.each({ kind: 'all' }, fn)],
  ])('is a function for %s, and not what it would return', async (method, call) => {
    await expect(call()).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'fn',
      message: expect.stringContaining(`${method} needs a function.`),
    })
  })
})

describe('poolFor', () => {
  const router = new SchemaRouter({ connectionString: 'postgres://localhost:1/nowhere' })

  it('gives one pool for a tenant, and forgets those of many', () => {
    const first = router.poolFor('acme')
    expect(router.poolFor('acme')).toBe(first)
    for (let at = 0; at < 1_000; at += 1) router.poolFor(`tenant-${at}`)
    const second = router.poolFor('acme')
    expect(second).not.toBe(first)
    expect(router.poolFor('acme')).toBe(second)
  })
})
