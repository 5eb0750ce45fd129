import {
  type DomainName,
  type HostName,
  type LookUpAnswer,
  type LookUpQuestion,
  type NewTenant,
  type Queryable,
  SchemaRouter,
  type SchemaRouterOptions,
  type Slug,
  type Tenant,
  type TenantRegistry,
} from 'tenantry'
import { memoryRegistry, testRegistry } from 'tenantry/testing'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { thrownBy } from '../unit/thrown.js'

const database = useDatabase()

/** A registry as somebody else writes it, with nothing but what the package exports. */
class CountingRegistry implements TenantRegistry {
  readonly #inner = memoryRegistry()
  readonly channel = 'tenantry_registry'
  readonly asked: string[] = []

  install(db: Queryable): Promise<void> {
    return this.#inner.install(db)
  }
  findBySlug(db: Queryable, slug: Slug): Promise<Tenant | undefined> {
    this.asked.push(slug)
    return this.#inner.findBySlug(db, slug)
  }
  lookUp(db: Queryable, question: LookUpQuestion): Promise<LookUpAnswer> {
    const hosts: readonly HostName[] = question.hosts
    this.asked.push(...question.slugs, ...hosts)
    return this.#inner.lookUp(db, question)
  }
  insert(db: Queryable, tenant: NewTenant): Promise<Tenant> {
    return this.#inner.insert(db, tenant)
  }
  removeDomain(db: Queryable, slug: Slug, domain: DomainName): Promise<boolean> {
    return this.#inner.removeDomain(db, slug, domain)
  }
  list: TenantRegistry['list'] = (...args) => this.#inner.list(...args)
  update: TenantRegistry['update'] = (...args) => this.#inner.update(...args)
  rename: TenantRegistry['rename'] = (...args) => this.#inner.rename(...args)
  setStatus: TenantRegistry['setStatus'] = (...args) => this.#inner.setStatus(...args)
  remove: TenantRegistry['remove'] = (...args) => this.#inner.remove(...args)
  addDomain: TenantRegistry['addDomain'] = (...args) => this.#inner.addDomain(...args)
  setPrimaryDomain: TenantRegistry['setPrimaryDomain'] = (...args) =>
    this.#inner.setPrimaryDomain(...args)
  verifyDomain: TenantRegistry['verifyDomain'] = (...args) => this.#inner.verifyDomain(...args)
  domainsOf: TenantRegistry['domainsOf'] = (...args) => this.#inner.domainsOf(...args)
}

describe('a registry of somebody else', () => {
  it('is written with the exports of the package, and used', async () => {
    const registry = new CountingRegistry()
    const schemas = { tenants: { prefix: database.prefix() } }
    const router = new SchemaRouter({
      pool: database.pool(),
      registry,
      schemas,
      cache: { listen: false },
    })
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.get('acme')
    expect(registry.asked).toEqual(['acme'])
    await router.close()
  })

  it.each([
    ['that lacks methods', { ...memoryRegistry(), list: undefined, verifyDomain: 'yes' }],
    ['that is none', 'tenants'],
    ['that is null', null],
  ])('%s is refused when the router is made', (_, registry) => {
    const options: unknown = { pool: database.admin, registry }
    expect(thrownBy(() => new SchemaRouter(options as SchemaRouterOptions))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'registry',
      message: expect.stringMatching(/list, (.*, )?verifyDomain/) as string,
    })
  })

  it('may know more of the metadata than the router does', async () => {
    const registry: TenantRegistry<object> = memoryRegistry()
    const router = new SchemaRouter<{ plan: string }>({ pool: database.admin, registry })
    expect(router.tryCurrent()).toBeUndefined()
    await router.close()
  })
})

describe('testRegistry', () => {
  const tests = new Map<string, () => Promise<void>>()
  const broken: TenantRegistry = { ...memoryRegistry(), findBySlug: async () => undefined }
  const open = (registry: TenantRegistry) => () => ({ registry, pool: database.pool({ max: 4 }) })
  const add = (name: string, run: () => Promise<void>): unknown => tests.set(name, run)

  it('finds what a registry does not do', async () => {
    testRegistry({ test: add, open: open(broken) })
    expect(tests.size).toBeGreaterThan(25)
    await expect(tests.get('finds an added tenant by its slug')?.()).rejects.toMatchObject({
      name: 'AssertionError',
    })
  })
})
