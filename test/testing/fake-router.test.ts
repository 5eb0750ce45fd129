import { fakeRouter } from 'tenantry/testing'
import { describe, expect, it } from 'vitest'

const router = fakeRouter({
  tenants: ['acme', { slug: 'zenith', status: 'suspended' }],
  domains: { 'acme.example.com': 'acme' },
  query: (text, values, { slug }) => {
    if (text === 'fail') throw new Error('No rows today.')
    return [{ text, values, slug }]
  },
})

describe('fakeRouter', () => {
  it('answers queries in each form by the function, as the tenant in scope', async () => {
    const row = { text: 'select $1', values: [7], slug: 'acme' }
    const { rows } = await router.withTenant('acme', (db) => db.query('select $1', [7]))
    const config = { text: 'select $1', values: [7] }
    const pooled = await router.runAs('acme', () => router.pool.query(config))
    const again = await router.runAs('acme', () => router.withTenant((db) => db.query(config)))
    const called = await router.withTenant(
      'acme',
      (db) =>
        new Promise((resolve) =>
          db.query('select $1', [7], (_error, { rows: [first] }) => resolve(first)),
        ),
    )
    expect([rows[0], pooled.rows[0], again.rows[0], called]).toEqual([row, row, row, row])
  })

  it('has an ambient tenant inside of a scope only', async () => {
    expect(router.tryCurrent()).toBeUndefined()
    expect(() => router.current()).toThrow(expect.objectContaining({ code: 'TENANT_NO_SCOPE' }))
    const seen = await router.withTenant('acme', () => router.current())
    expect(seen).toMatchObject({ slug: 'acme', schema: 'tenant_acme', status: 'active' })
    await expect(router.pool.query('select 1')).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })

  it('refuses who is unknown or suspended, and hands on what a query throws', async () => {
    const refused = { nobody: 'TENANT_NOT_FOUND', zenith: 'TENANT_SUSPENDED' }
    for (const [slug, code] of Object.entries(refused)) {
      await expect(router.withTenant(slug, () => 1)).rejects.toMatchObject({ code })
      await expect(router.runAs(slug, () => 1)).rejects.toMatchObject({ code })
    }
    const failing = router.withTenant('acme', (db) => db.query('fail'))
    await expect(failing).rejects.toThrow('No rows today.')
  })

  it('takes a tenant itself, and answers without a function with no rows', async () => {
    const plain = fakeRouter({ tenants: ['acme'] })
    const tenant = await plain.tenants.get('acme')
    const { rows } = await plain.withTenant(tenant, (db) => db.query('select 1'))
    expect(rows).toEqual([])
    const none: unknown = undefined
    const fn = none as () => void
    for (const call of [plain.withTenant('acme', fn), plain.runAs('acme', fn)]) {
      await expect(call).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'fn' })
    }
  })

  it('resolves the hosts that it was given', async () => {
    const found = await router.resolve({ host: 'acme.example.com' })
    expect(found).toMatchObject({ kind: 'tenant', tenant: { slug: 'acme' } })
    expect(await router.resolve({ host: 'toString' })).toBeUndefined()
  })
})
