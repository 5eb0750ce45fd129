import { createServer } from 'node:http'
import { SchemaRouter, type Tenant } from 'tenantry'
import {
  type FindTenant,
  type Verdict,
  byClaim,
  byHeader,
  byHost,
  byPath,
  bySubdomain,
  requestGate,
  serveTenants,
} from 'tenantry/http'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

const database = useDatabase()
const router = new SchemaRouter({
  pool: database.pool({ max: 5 }),
  schemas: { static: { main: { domains: ['www.lender.test'] } } },
})
let acme: Tenant

beforeAll(async () => {
  await database.admin.query('create schema main')
  acme = await router.tenants.create({ slug: 'acme', domains: ['acme.test'] })
})

interface Asked {
  readonly url?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** What a gate says to a request, and the schema that the app would run in. */
async function said(
  tenant: FindTenant,
  { url = '/', headers = {} }: Asked,
  missing: 'reject' | 'shared' | 'pass' = 'reject',
): Promise<unknown> {
  const gate = requestGate(router, { tenant, missing })
  const verdict = await gate.admit({ request: {}, method: 'GET', url, headers })
  return verdict.kind === 'refuse' ? verdict.error.code : schemaOf(verdict)
}

async function schemaOf(verdict: Verdict): Promise<unknown> {
  if (verdict.kind !== 'serve') return verdict.kind
  if (verdict.place === undefined) return 'no place'
  return verdict.run(async () => {
    const { rows } = await router.pool.query('select current_schema() as here')
    return rows[0]?.here as unknown
  })
}

describe('requestGate', () => {
  it('serves what the host leads to: a tenant, a static schema, or nothing', async () => {
    expect(await said(byHost(), { headers: { host: 'acme.test' } })).toBe('tenant_acme')
    expect(await said(byHost(), { headers: { host: 'www.lender.test' } })).toBe('main')
    expect(await said(byHost(), { headers: { host: 'nobody.test' } })).toBe('TENANT_NOT_FOUND')
    expect(await said(byHost(), {})).toBe('TENANT_UNRESOLVED')
  })

  it('has three ways for a request that names nobody', async () => {
    expect(await said(byHost(), {}, 'shared')).toBe('public')
    expect(await said(byHost(), {}, 'pass')).toBe('no place')
    expect(await said(byHost(), {}, 'reject')).toBe('TENANT_UNRESOLVED')
  })

  it('finds nobody in what is no slug, and refuses one that nobody has', async () => {
    const below = bySubdomain({ base: 'lender.test' })
    expect(await said(below, {})).toBe('TENANT_UNRESOLVED')
    expect(await said(below, { headers: { host: 'acme.lender.test' } })).toBe('tenant_acme')
    expect(await said(byPath(), { url: '//acme' })).toBe('TENANT_UNRESOLVED')
    expect(await said(byPath(), { url: '/no%20slug/x' })).toBe('TENANT_NOT_FOUND')
    expect(await said(byPath(), { url: '/acme/x' })).toBe('tenant_acme')
    expect(
      await said(
        byClaim(() => 'no slug'),
        {},
      ),
    ).toBe('TENANT_UNRESOLVED')
    expect(
      await said(
        byClaim(() => null),
        {},
      ),
    ).toBe('TENANT_UNRESOLVED')
    expect(
      await said(
        byClaim(() => 'beta'),
        {},
      ),
    ).toBe('TENANT_NOT_FOUND')
    const wrong: unknown = 'acme'
    expect(() => byClaim(wrong as () => string)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID' }),
    )
  })

  it('refuses a header that was sent twice', async () => {
    const find = byHeader('x-tenant')
    expect(await said(find, { headers: { 'x-tenant': ['acme'] } })).toBe('tenant_acme')
    expect(await said(find, { headers: { 'x-tenant': ['acme', 'beta'] } })).toBe(
      'TENANT_UNRESOLVED',
    )
  })

  it('believes the registry, and not a tenant that was handed around', async () => {
    const stale = { ...acme, schema: 'tenant_other', status: 'suspended' } as const
    expect(await said(() => stale, {})).toBe('tenant_acme')
  })
})

describe('a tenant that is suspended between the look-up and the app', () => {
  it('is refused as one that was suspended before, and not with what the app throws', async () => {
    const late = await router.tenants.create({ slug: 'late' })
    await router.tenants.suspend('late')
    const tenant: FindTenant = () => ({ kind: 'tenant', tenant: late })
    const service = await listen(createServer(serveTenants(router, { tenant }, () => {})))
    const response = await fetch(service.url)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ code: 'TENANT_SUSPENDED' })
    await service.close()
  })

  it('is an error of the app where the app asks for it', async () => {
    const told: unknown[] = []
    const options = {
      tenant: () => 'acme',
      onError: (error: unknown, _request: unknown, response: { end: () => unknown }) => {
        told.push(error)
        response.end()
      },
    }
    const ask = (): Promise<unknown> => router.withTenant('late', (db) => db.query('select 1'))
    const service = await listen(createServer(serveTenants(router, options, ask)))
    expect((await fetch(service.url)).status).toBe(200)
    expect(told).toMatchObject([{ code: 'TENANT_SUSPENDED', tenant: 'late' }])
    await service.close()
  })
})
