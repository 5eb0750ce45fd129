import assert from 'node:assert/strict'
import { TENANT_STATUSES } from '../../registry/tenant.js'
import { parseSchemaName } from '../../names/schema-name.js'
import { type Check, expectError } from './check.js'

const METADATA = { plan: 'gold', limits: { seats: 5 }, tags: ['a', 'b'], none: null }

/** What is expected of a registry's tenants. */
export const tenantChecks: Readonly<Record<string, Check>> = {
  'can be installed by many at once, and again': async ({ registry, pool }) => {
    await Promise.all(Array.from({ length: 4 }, () => registry.install(pool)))
  },

  'finds an added tenant by its slug': async (place) => {
    const { registry, pool } = place
    const order = place.order('acme')
    const added = await registry.insert(pool, order)
    assert.deepEqual(pick(added), { ...order, status: 'active' })
    assert.equal(typeof added.id, 'string')
    assert.ok(added.createdAt instanceof Date)
    assert.deepEqual(await registry.findBySlug(pool, order.slug), added)
    assert.equal(await registry.findBySlug(pool, place.slug('nobody')), undefined)
  },

  'keeps a name and metadata': async (place) => {
    const { registry, pool } = place
    const order = place.order('acme', { name: 'Acme Lending', metadata: METADATA })
    const added = await registry.insert(pool, order)
    assert.equal(added.name, 'Acme Lending')
    assert.deepEqual(added.metadata, METADATA)
    assert.deepEqual((await registry.findBySlug(pool, order.slug))?.metadata, METADATA)
  },

  'refuses a slug that is taken': async (place) => {
    const { slug } = await place.insert('acme')
    const schema = parseSchemaName(`tenant_${place.slug('other')}`)
    await expectError('TENANT_EXISTS', place.insert('acme', { schema }))
    const all = await place.registry.list(place.pool)
    assert.equal(all.filter((tenant) => tenant.slug === slug).length, 1)
  },

  'refuses a schema that is taken': async (place) => {
    const { schema } = await place.insert('acme')
    await expectError('TENANT_EXISTS', place.insert('other', { schema: parseSchemaName(schema) }))
    assert.equal(await place.registry.findBySlug(place.pool, place.slug('other')), undefined)
  },

  'changes the name and leaves the metadata, and the other way round': async (place) => {
    const { registry, pool } = place
    const before = await place.insert('acme', { metadata: METADATA })
    const slug = place.slug('acme')
    const named = await registry.update(pool, slug, { name: 'Acme' })
    assert.deepEqual(named, { ...before, name: 'Acme' })
    const filled = await registry.update(pool, slug, { metadata: { plan: 'free' } })
    assert.deepEqual(filled, { ...before, name: 'Acme', metadata: { plan: 'free' } })
    assert.deepEqual(await registry.findBySlug(pool, slug), filled)
  },

  'renames slug and schema at once': async (place) => {
    const { registry, pool } = place
    const before = await place.insert('acme')
    const to = place.order('apex')
    const names = { slug: to.slug, schema: to.schema }
    const renamed = await registry.rename(pool, place.slug('acme'), names)
    assert.equal(renamed?.id, before.id)
    assert.equal(renamed?.slug, to.slug)
    assert.equal(renamed?.schema, to.schema)
    assert.equal((await registry.findBySlug(pool, to.slug))?.id, before.id)
    assert.equal(await registry.findBySlug(pool, place.slug('acme')), undefined)
  },

  'renames the slug alone, and the schema alone': async (place) => {
    const { registry, pool } = place
    const { schema } = await place.insert('acme')
    const { slug, schema: other } = place.order('apex')
    const renamed = await registry.rename(pool, place.slug('acme'), { slug })
    assert.deepEqual([renamed?.slug, renamed?.schema], [slug, schema])
    const moved = await registry.rename(pool, slug, { schema: other })
    assert.deepEqual([moved?.slug, moved?.schema], [slug, other])
  },

  'refuses to rename to what is taken': async (place) => {
    const { registry, pool } = place
    const taken = place.order('taken')
    await registry.insert(pool, taken)
    const before = await place.insert('acme')
    const slug = place.slug('acme')
    const to = { slug: taken.slug, schema: taken.schema }
    await expectError('TENANT_EXISTS', registry.rename(pool, slug, to))
    assert.deepEqual(await registry.findBySlug(pool, slug), before)
  },

  'keeps every status': async (place) => {
    const { registry, pool } = place
    await place.insert('acme')
    const slug = place.slug('acme')
    for (const status of TENANT_STATUSES) {
      assert.equal((await registry.setStatus(pool, slug, status))?.status, status)
      assert.equal((await registry.findBySlug(pool, slug))?.status, status)
    }
  },

  'lists in the order of the schemas’ names, without those that are deleted': async (place) => {
    const { registry, pool } = place
    const slugs = ['b', 'a-b', 'a', 'a_b', 'c'].map((name) => place.slug(name))
    for (const name of ['b', 'a-b', 'a', 'a_b', 'c']) await place.insert(name)
    await registry.setStatus(pool, place.slug('c'), 'deleted')
    await registry.setStatus(pool, place.slug('b'), 'suspended')
    const own = async (
      ...filter: [] | [{ status: 'deleted' } | { status: ['suspended', 'deleted'] }]
    ) =>
      (await registry.list(pool, ...filter))
        .map(({ slug }) => slug)
        .filter((slug) => slugs.some((each) => each === slug))
    const byName = slugs.slice(0, 4).toSorted()
    assert.deepEqual(await own(), byName)
    assert.deepEqual(await own({ status: 'deleted' }), [place.slug('c')])
    assert.deepEqual(await own({ status: ['suspended', 'deleted'] }), [
      place.slug('b'),
      place.slug('c'),
    ])
  },

  'removes a tenant, whose slug and schema are free again': async (place) => {
    const { registry, pool } = place
    const order = place.order('acme')
    const before = await registry.insert(pool, order)
    assert.equal(await registry.remove(pool, order.slug), true)
    assert.equal(await registry.findBySlug(pool, order.slug), undefined)
    assert.notEqual((await registry.insert(pool, order)).id, before.id)
  },

  'says of a slug that nobody has that there is nobody': async (place) => {
    const { registry, pool } = place
    const slug = place.slug('nobody')
    const names = {
      slug: place.slug('other'),
      schema: parseSchemaName(`tenant_${place.slug('other')}`),
    }
    assert.equal(await registry.update(pool, slug, { name: 'Nobody' }), undefined)
    assert.equal(await registry.rename(pool, slug, names), undefined)
    assert.equal(await registry.setStatus(pool, slug, 'suspended'), undefined)
    assert.equal(await registry.remove(pool, slug), false)
  },
}

function pick<T extends object>(tenant: T): Omit<T, 'id' | 'createdAt'> {
  const { id: _, createdAt: __, ...rest } = { id: '', createdAt: '', ...tenant }
  return rest
}
