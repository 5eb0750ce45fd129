import { type Tenant, type TenantRegistry } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { tableRegistry } from '../../src/registry/table/table-registry.js'
import { useDatabase } from '../support/database.js'
import { fleet, type Fleet } from '../support/lenders.js'

const database = useDatabase()

type Use = (made: Fleet, tenant: string | Tenant) => Promise<unknown>

/** Every way in; none of them may take a client for a tenant that is not served. */
const USES: Readonly<Record<string, Use>> = {
  withTenant: ({ router }, tenant) => router.withTenant(tenant, (db) => db.query('select 1')),
  'withTenant in a transaction': ({ router }, tenant) =>
    router.withTenant(tenant, (db) => db.query('select 1'), { transaction: true }),
  'withTenant in a session': ({ router }, tenant) =>
    router.withTenant(tenant, (db) => db.query('select 1'), { scope: 'session' }),
  'withTenant without a query': ({ router }, tenant) => router.withTenant(tenant, () => 1),
  runAs: ({ router }, tenant) => router.runAs(tenant, () => 1),
  'poolFor().query': ({ router }, tenant) => router.poolFor(tenant).query('select 1'),
  'poolFor().connect': ({ router }, tenant) => router.poolFor(tenant).connect(),
}

interface Watched extends Fleet {
  /** How many clients were taken for anything but a question to the registry. */
  readonly taken: () => number
}

/** A tenant may be looked up at any time: its change is heard from the server as well. */
async function watchedFleet(): Promise<Watched> {
  const tables = tableRegistry(parseSchemaName('public'))
  let questions = 0
  const registry: TenantRegistry = {
    ...tables,
    lookUp: (db, question) => {
      questions += 1
      return tables.lookUp(db, question)
    },
  }
  const made = await fleet(database, { registry })
  let clients = 0
  made.pool.on('acquire', () => (clients += 1))
  return { ...made, taken: () => clients - questions }
}

describe.each(Object.entries(USES))('%s', (_, use) => {
  it('fails for an unknown tenant before a client is taken', async () => {
    const made = await watchedFleet()
    await expect(use(made, 'nobody')).rejects.toMatchObject({
      code: 'TENANT_NOT_FOUND',
      tenant: 'nobody',
    })
    expect(made.taken()).toBe(0)
    expect(made.pool.idleCount).toBe(made.pool.totalCount)
  })

  it('fails for a suspended tenant before a client is taken', async () => {
    const made = await watchedFleet()
    const { slug, schema } = made.acme
    await made.router.tenants.suspend(slug)
    const before = made.taken()
    await expect(use(made, slug)).rejects.toMatchObject({
      code: 'TENANT_SUSPENDED',
      tenant: slug,
      schema,
    })
    expect(made.taken()).toBe(before)
    expect(made.pool.idleCount).toBe(made.pool.totalCount)
  })

  it('fails for a suspended tenant that was handed around as active', async () => {
    const made = await watchedFleet()
    const stale = await made.router.tenants.get(made.acme.slug)
    await made.router.tenants.suspend(stale.slug)
    const before = made.taken()
    expect(stale.status).toBe('active')
    await expect(use(made, stale)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    expect(made.taken()).toBe(before)
    expect(made.pool.idleCount).toBe(made.pool.totalCount)
  })

  it('serves a tenant again that is active again', async () => {
    const made = await fleet(database)
    await made.router.tenants.suspend(made.acme.slug)
    await expect(use(made, made.acme.slug)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await made.router.tenants.activate(made.acme.slug)
    const outcome = await use(made, made.acme.slug)
    if (hasRelease(outcome)) outcome.release()
  })
})

function hasRelease(input: unknown): input is { release(): void } {
  return typeof input === 'object' && input !== null && 'release' in input
}

describe('router.pool', () => {
  it.each(['', '  ', 'ACME', '../acme', 'a"b', 'nobody'])(
    'has no tenant for the slug %j',
    async (slug) => {
      const made = await fleet(database)
      await expect(
        made.router.runAs(slug, () => made.router.pool.query('select body from notes')),
      ).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    },
  )
})
