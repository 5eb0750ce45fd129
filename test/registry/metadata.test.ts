import { type } from 'arktype'
import {
  type MetadataSchema,
  SchemaRouter,
  type SchemaRouterOptions,
  type Tenant,
  mappedRegistry,
  select,
} from 'tenantry'
import { memoryRegistry } from 'tenantry/testing'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { useDatabase } from '../support/database.js'
import { thrownBy } from '../unit/thrown.js'

const database = useDatabase()

/** A plan, and how many seats it has: three where nobody says it. */
const ZOD = z.object({ plan: z.enum(['free', 'gold']), seats: z.number().int().default(3) })
const VALIBOT = v.object({
  plan: v.picklist(['free', 'gold']),
  seats: v.optional(v.pipe(v.number(), v.integer()), 3),
})
const ARKTYPE = type({ plan: "'free' | 'gold'", seats: 'number.integer = 3' })

interface Plan {
  readonly plan: 'free' | 'gold'
  readonly seats: number
}

interface PlanInput {
  readonly plan: 'free' | 'gold'
  readonly seats?: number | undefined
}

type Options = Pick<SchemaRouterOptions<Plan, PlanInput>, 'registry' | 'hooks'>

function open(
  metadata: MetadataSchema<PlanInput, Plan>,
  options: Options = {},
  prefix = database.prefix(),
): SchemaRouter<Plan, PlanInput> {
  return new SchemaRouter<Plan, PlanInput>({
    pool: database.pool(),
    schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix } },
    metadata,
    cache: { listen: false },
    ...options,
  })
}

/** What a service passes that does not know its own types, or reads from a request. */
function wrong(metadata: object): { readonly metadata: PlanInput } {
  const given: unknown = metadata
  return { metadata: given as PlanInput }
}

const LIBRARIES: readonly (readonly [string, MetadataSchema<PlanInput, Plan>])[] = [
  ['zod', ZOD],
  ['valibot', VALIBOT],
  ['arktype', ARKTYPE],
]

describe.each(LIBRARIES)('metadata with a schema of %s', (_, schema) => {
  it('are kept as the schema makes them', async () => {
    const router = open(schema)
    const created = await router.tenants.create({ slug: 'acme', metadata: { plan: 'free' } })
    expect(created.metadata).toEqual({ plan: 'free', seats: 3 })
    await router.tenants.update('acme', { metadata: { plan: 'gold', seats: 9 } })
    expect((await router.tenants.get('acme')).metadata).toEqual({ plan: 'gold', seats: 9 })
    const clone = await router.tenants.clone('acme', { slug: 'copy', metadata: { plan: 'gold' } })
    expect(clone.metadata).toEqual({ plan: 'gold', seats: 3 })
    await router.close()
  })

  it('that it refuses change nothing', async () => {
    const router = open(schema)
    const refused = {
      code: 'METADATA_INVALID',
      tenant: 'acme',
      option: 'metadata',
      issues: [{ path: ['plan'], message: expect.any(String) as string }],
    }
    const bad = wrong({ plan: 'silver' })
    await expect(router.tenants.create({ slug: 'acme', ...bad })).rejects.toMatchObject(refused)
    expect(await router.tenants.list()).toEqual([])
    await router.tenants.create({ slug: 'acme', metadata: { plan: 'free' } })
    await expect(router.tenants.update('acme', { name: 'Acme', ...bad })).rejects.toMatchObject(
      refused,
    )
    await expect(router.tenants.clone('acme', { slug: 'copy', ...bad })).rejects.toMatchObject({
      ...refused,
      tenant: 'copy',
    })
    expect(await router.tenants.list()).toMatchObject([
      { slug: 'acme', name: 'acme', metadata: { plan: 'free', seats: 3 } },
    ])
    await router.close()
  })
})

describe('metadata', () => {
  it('can be validated asynchronously', async () => {
    const known = new Set(['gold'])
    const schema = z.object({
      plan: z.string().refine(async (plan) => {
        await database.admin.query('select 1')
        return known.has(plan)
      }),
    })
    const prefix = database.prefix()
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: { tenants: { prefix } },
      registry: memoryRegistry(),
      metadata: schema,
    })
    await router.tenants.create({ slug: 'acme', metadata: { plan: 'gold' } })
    await expect(
      router.tenants.create({ slug: 'other', metadata: { plan: 'silver' } }),
    ).rejects.toMatchObject({ code: 'METADATA_INVALID', issues: [{ path: ['plan'] }] })
    await router.close()
  })

  it('that are older than the schema are read, and validated when the tenant is undeleted', async () => {
    const prefix = database.prefix()
    const loose = new SchemaRouter({
      pool: database.pool(),
      schemas: { shared: { name: `shared_${prefix}` }, tenants: { prefix } },
    })
    await loose.tenants.create({ slug: 'old', metadata: { plan: 'silver' } })
    await loose.tenants.create({ slug: 'thin', metadata: { plan: 'free' } })
    const router = open(ZOD, {}, prefix)
    expect((await router.tenants.get('old')).metadata).toEqual({ plan: 'silver' })
    await router.tenants.update('old', { name: 'Old' })
    for (const slug of ['old', 'thin']) await router.tenants.delete(slug)
    await expect(router.tenants.undelete('old')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
    expect(await router.tenants.get('old')).toMatchObject({ status: 'deleted' })
    await router.tenants.update('old', { metadata: { plan: 'gold', seats: 1 } })
    expect(await router.tenants.undelete('old')).toMatchObject({ status: 'active' })
    expect((await router.tenants.undelete('thin')).metadata).toEqual({ plan: 'free', seats: 3 })
    await loose.close()
    await router.close()
  })

  it('pass on what the schema itself throws', async () => {
    const broken: MetadataSchema<PlanInput, Plan> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => Promise.reject(new Error('The list of plans is not there.')),
      },
    }
    const router = open(broken)
    await expect(
      router.tenants.create({ slug: 'acme', metadata: { plan: 'free' } }),
    ).rejects.toThrow('The list of plans')
    expect(await router.tenants.list()).toEqual([])
    await router.close()
  })

  it('must be an object after the schema as well, and say where else they are not', async () => {
    const results: unknown[] = [
      { value: ['a'] },
      { issues: [{ message: 'no', path: [{ key: 'limits' }, 0, Symbol('s')] }] },
    ]
    const schema: unknown = {
      '~standard': { version: 1, vendor: 'test', validate: () => results.shift() },
    }
    const router = open(schema as MetadataSchema<PlanInput, Plan>)
    const create = () => router.tenants.create({ slug: 'acme', metadata: { plan: 'free' } })
    await expect(create()).rejects.toMatchObject({
      code: 'METADATA_INVALID',
      issues: [{ path: [] }],
    })
    await expect(create()).rejects.toMatchObject({
      issues: [{ path: ['limits', 0, 'Symbol(s)'], message: 'no' }],
    })
    await router.close()
  })

  it.each([
    ['a schema of no standard', { parse: () => ({}) }],
    ['a schema of a later standard', { '~standard': { version: 2, validate: () => ({}) } }],
    ['an empty standard', { '~standard': {} }],
    ['a text', 'object'],
    ['null', null],
  ])('are not validated by %s, which is refused', (_, metadata) => {
    const options: unknown = { pool: database.admin, metadata }
    expect(thrownBy(() => new SchemaRouter(options as SchemaRouterOptions))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'metadata',
    })
  })
})

describe('the type of metadata', () => {
  it.each(['zod', 'valibot', 'arktype'])('follows from the schema of %s', async () => {
    const pool = database.admin
    const routers = [
      new SchemaRouter({ pool, metadata: ZOD }),
      new SchemaRouter({ pool, metadata: VALIBOT }),
      new SchemaRouter({ pool, metadata: ARKTYPE }),
    ] as const
    for (const router of routers) {
      type Router = typeof router
      type Read = Awaited<ReturnType<Router['tenants']['get']>>['metadata']
      expectTypeOf<Read>().toEqualTypeOf<{ plan: 'free' | 'gold'; seats: number }>()
      expectTypeOf(router.current).returns.toHaveProperty('metadata').toEqualTypeOf<Read>()
      expect(router.tryCurrent()).toBeUndefined()
      await router.close()
    }
  })

  it('is carried to all who are given a tenant', async () => {
    const router = new SchemaRouter({
      pool: database.admin,
      metadata: ZOD,
      cache: { listen: false },
      hooks: {
        afterCreate: ({ tenant }) =>
          void expectTypeOf(tenant.metadata).toEqualTypeOf<z.output<typeof ZOD>>(),
      },
      scope: {
        settings: ({ tenant }) => ({ 'app.plan': tenant?.metadata.plan ?? 'none' }),
      },
    })
    type Read = z.output<typeof ZOD>
    const destination = await router.resolve({ host: 'nowhere.test' })
    if (destination?.kind === 'tenant') {
      expectTypeOf(destination.tenant.metadata).toEqualTypeOf<Read>()
    }
    expect(destination).toBeUndefined()
    await router
      .each(select.names(), async (_db, { tenant }) => {
        expectTypeOf(tenant?.metadata).toEqualTypeOf<Read | undefined>()
      })
      .catch(() => {})
    expectTypeOf(router.tenants.create)
      .parameter(0)
      .toHaveProperty('metadata')
      .toEqualTypeOf<z.input<typeof ZOD> | undefined>()
    expectTypeOf(router.tenants.list)
      .returns.resolves.items.toHaveProperty('metadata')
      .toEqualTypeOf<Read>()
    // @ts-expect-error The plan has another name.
    select.tenants<Read>({ metadata: { plam: 'gold' } })
    expect(select.tenants<Read>({ metadata: { plan: 'gold' } })).toMatchObject({ kind: 'tenants' })
    await router.close()
  })

  it('is that of a registry which says what it keeps', async () => {
    const registry = mappedRegistry<Plan>({
      table: 'customers',
      columns: { id: 'id', slug: 'slug', metadata: 'facts' },
      schemaPrefix: 'tenant_',
      values: ({ metadata }) => {
        expectTypeOf(metadata).toEqualTypeOf<Plan>()
        return { seats: metadata.seats }
      },
    })
    expectTypeOf(registry.findBySlug)
      .returns.resolves.extract<object>()
      .toEqualTypeOf<Tenant<Plan>>()
    expectTypeOf(memoryRegistry<Plan>().list).returns.resolves.items.toEqualTypeOf<Tenant<Plan>>()
    expectTypeOf(memoryRegistry().list).returns.resolves.items.toEqualTypeOf<Tenant>()
    const router = new SchemaRouter<Plan>({ pool: database.admin, registry })
    expectTypeOf(router.current).returns.toEqualTypeOf<Tenant<Plan>>()
    expect(router.tryCurrent()).toBeUndefined()
    await router.close()
  })

  it('is said by hand where there is no schema, and is any object where nothing is said', async () => {
    interface Kept {
      readonly plan: string
    }
    const said = new SchemaRouter<Kept>({ pool: database.admin })
    expectTypeOf(said.current).returns.toHaveProperty('metadata').toEqualTypeOf<Kept>()
    const unsaid = new SchemaRouter({ pool: database.admin })
    expectTypeOf(unsaid.current)
      .returns.toHaveProperty('metadata')
      .toEqualTypeOf<Record<string, unknown>>()
    expectTypeOf<SchemaRouter<{ plan: string }>>().toExtend<SchemaRouter>()
    expect([said.tryCurrent(), unsaid.tryCurrent()]).toEqual([undefined, undefined])
    await said.close()
    await unsaid.close()
  })
})
