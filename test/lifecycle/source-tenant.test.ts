import { SchemaRouter } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { tableRegistry } from '../../src/registry/table/table-registry.js'
import type { TenantRegistry } from '../../src/registry/registry.js'
import type { Tenant } from '../../src/registry/tenant.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { useFolder } from './archive-fleet.js'
import { type Fleet, openFleet } from './fleet.js'

const here = useDatabase()
const there = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

const LOANS = { '1_loans.sql': 'create table loans (id int)' }

/** Everything that reads a tenant as a whole, by name. */
const WAYS: Readonly<Record<string, (router: SchemaRouter, to: SchemaRouter) => Promise<unknown>>> =
  {
    backup: (router) => router.tenants.backup('acme', folder.file('acme.gz')),
    clone: (router) => router.tenants.clone('acme', { slug: 'beta' }),
    move: (router, to) => router.tenants.move('acme', { to }),
  }
const NAMES = Object.keys(WAYS)

async function setUp(): Promise<Fleet & { readonly to: SchemaRouter }> {
  const fleet = await openFleet(here, migrations, { tenants: LOANS })
  const to = new SchemaRouter({ pool: there.pool(), schemas: fleet.schemas })
  for (const router of [fleet.router, to]) await router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme' })
  return { ...fleet, to }
}

/** Why a tenant is not read in one of the ways; nothing is left of the attempt. */
async function refusal(name: string, router: SchemaRouter, to: SchemaRouter): Promise<unknown> {
  const error: unknown = await WAYS[name]?.(router, to).then(
    () => 'done',
    (thrown: unknown) => thrown,
  )
  expect((await router.tenants.list()).map(({ slug }) => slug)).toEqual(['acme'])
  expect(await to.tenants.list()).toEqual([])
  return error
}

describe('a tenant that is read as a whole', () => {
  it.each(NAMES)('is not there for %s when its schema was dropped by hand', async (name) => {
    const { router, to, prefix } = await setUp()
    await here.admin.query(`drop schema ${prefix}acme cascade`)
    expect(await refusal(name, router, to)).toMatchObject({
      code: 'SCHEMA_MISSING',
      schema: `${prefix}acme`,
    })
  })

  it.each(NAMES)('is not taken by %s with the ledger of another tool', async (name) => {
    const { router, to, prefix } = await setUp()
    await here.admin.query(
      `drop table ${prefix}acme.migrations; create table ${prefix}acme.migrations (step text)`,
    )
    expect(await refusal(name, router, to)).toMatchObject({ code: 'MIGRATION_UNKNOWN' })
  })

  it.each(NAMES)('is not taken by %s where another tool migrates it', async (name) => {
    const { router, schemas } = await setUp()
    await router.close()
    const tool: MigrationBridge = {
      kind: 'bridge',
      origin: 'A tool',
      pending: () => Promise.resolve([]),
      up: () => Promise.resolve([]),
    }
    const bridged = { ...schemas, tenants: { ...schemas.tenants, migrations: tool } }
    const [from, to] = [here, there].map(
      (database) => new SchemaRouter({ pool: database.pool(), schemas: bridged }),
    )
    if (from === undefined || to === undefined) throw new Error('There are two databases.')
    expect(await refusal(name, from, to)).toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('is not moved before it has had all migrations', async () => {
    const { router, to, prefix } = await setUp()
    const newer = await migrations.fleet(prefix, {
      tenants: { ...LOANS, '2_notes.sql': 'create table notes (id int)' },
    })
    const later = new SchemaRouter({ pool: here.pool(), schemas: newer })
    expect(await refusal('move', later, to)).toMatchObject({
      code: 'MOVE_REFUSED',
      migration: '2_notes.sql',
    })
    await router.tenants.move('acme', { to })
    expect(await to.tenants.list()).toMatchObject([{ slug: 'acme' }])
  })
})

/** A registry in which a tenant is another one from some look-up on, as if somebody had been faster. */
function changedFrom(
  nth: number,
  registry: TenantRegistry,
  change: (tenant: Tenant) => Tenant | undefined,
): TenantRegistry {
  let count = 0
  return {
    ...registry,
    findBySlug: async (db, slug) => {
      const found = await registry.findBySlug(db, slug)
      count += 1
      return found === undefined || count < nth ? found : change(found)
    },
  }
}

/** Every change of a tenant that looks at it again under the lock, and the status that it needs. */
const CHANGES: readonly (readonly [
  name: string,
  change: (router: SchemaRouter, to: SchemaRouter, prefix: string) => Promise<unknown>,
])[] = [
  ['backup', (router) => router.tenants.backup('acme', folder.file('acme.gz'))],
  ['clone', (router) => router.tenants.clone('acme', { slug: 'beta' })],
  ['move', (router, to) => router.tenants.move('acme', { to })],
  [
    'rename of the schema',
    (router, _, prefix) => router.tenants.rename('acme', { schema: `${prefix}other` }),
  ],
  ['purge', (router) => router.tenants.purge('acme', { confirm: 'acme' })],
  ['restore over it', (router) => router.tenants.restore(archive, { replace: true })],
]
let archive = ''

async function faster(
  name: string,
  change: (tenant: Tenant, prefix: string) => Tenant | undefined,
): Promise<unknown> {
  const { router, to, shared, schemas, prefix, schemaExists } = await setUp()
  archive = folder.file('before.gz')
  await router.tenants.backup('acme', archive)
  if (name === 'purge') await router.tenants.delete('acme')
  const before = await router.tenants.get('acme')
  const registry = changedFrom(2, tableRegistry(parseSchemaName(shared)), (tenant) =>
    change(tenant, prefix),
  )
  const slow = new SchemaRouter({ pool: here.pool(), schemas, registry })
  const work = CHANGES.find(([each]) => each === name)?.[1]
  const error: unknown = await work?.(slow, to, prefix).then(
    () => 'done',
    (thrown: unknown) => thrown,
  )
  expect(await router.tenants.get('acme')).toEqual(before)
  expect(await schemaExists(`${prefix}acme`)).toBe(true)
  expect(await schemaExists(`${prefix}other`)).toBe(false)
  expect(await schemaExists(`${prefix}beta`)).toBe(false)
  return error
}

describe('a tenant that somebody else changes meanwhile', () => {
  it.each(CHANGES)('is not found by %s when it was purged', async (name) => {
    expect(await faster(name, () => undefined)).toMatchObject({
      code: 'TENANT_NOT_FOUND',
      tenant: 'acme',
    })
  })

  it('is not found by what would write of it', async () => {
    const { router, to, shared, schemas, prefix, schemaExists } = await setUp()
    await router.tenants.create({ slug: 'gone' })
    await router.tenants.delete('gone')
    const table = tableRegistry(parseSchemaName(shared))
    const nobody = (): Promise<undefined> => Promise.resolve(undefined)
    const registry = { ...table, setStatus: nobody, rename: nobody }
    const { tenants } = new SchemaRouter({ pool: here.pool(), schemas, registry })
    const writes: readonly (() => Promise<unknown>)[] = [
      () => tenants.suspend('acme'),
      () => tenants.delete('acme'),
      () => tenants.undelete('gone'),
      () => tenants.rename('acme', { slug: 'other' }),
      () => tenants.rename('acme', { schema: `${prefix}other` }),
      () => tenants.move('acme', { to }),
    ]
    for (const write of writes) {
      await expect(write()).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    }
    expect(await router.tenants.get('acme')).toMatchObject({ status: 'active' })
    expect(await router.tenants.get('gone')).toMatchObject({ status: 'deleted' })
    expect(await schemaExists(`${prefix}other`)).toBe(false)
    expect(await to.tenants.list()).toEqual([])
  })

  it.each(CHANGES)('is not mixed up by %s with one in another schema', async (name) => {
    const moved = await faster(name, (tenant, prefix) => ({ ...tenant, schema: `${prefix}new` }))
    const code = name === 'purge' ? 'TENANT_NOT_FOUND' : 'SCHEMA_MISSING'
    expect(moved).toMatchObject({ code })
  })
})
