import type { Pool } from 'pg'
import fc from 'fast-check'
import {
  type Domain,
  type ErrorCode,
  SchemaRouter,
  type SchemasOptions,
  isTenantryError,
} from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useFleet } from '../support/lenders.js'
import type { Db } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 }, sharedPath: false })

const RESERVED = ['order', 'user', 'select', 'table', 'all', 'null', 'default', 'session_user']

const KNOWN = [
  ...RESERVED,
  '',
  ' ',
  'public',
  'pg_catalog',
  'pg_temp',
  'pg_',
  'information_schema',
  '$user',
  '"$user"',
  'x -c search_path=tenant_t2',
  'a"; drop schema public cascade; --',
  `a', false); drop schema public cascade; --`,
  'a, public',
  'a","public',
  'a$$; drop schema public cascade; $$',
  'a\\',
  'a\0b',
  'a\n',
  'acme\u202e',
  '\u0430cme',
  'ACME',
  'a'.repeat(63),
  'a'.repeat(64),
  'é'.repeat(32),
  '__proto__',
  'constructor',
  '../a',
  'a%00',
]

const SYNTAX = [
  `'`,
  '"',
  '""',
  '\\',
  '\0',
  '$$',
  '$1',
  ';',
  '--',
  '/*',
  ',',
  '.',
  ' ',
  '\n',
  '/',
  '%',
]
const WORDS = ['-', '_', 'a', 'A', 'b', 'B', '1', ':', 'pg_', 'public', 'tenant_', 'order', 'user']
const STRANGE = ['ü', 'İ', 'ß', '😀', '\u202e', '\u0301', '-c search_path=', 'drop schema public']
const FRAGMENTS = [...SYNTAX, ...WORDS, ...STRANGE]

/** What may come in from outside as a name. */
const hostile = fc.oneof(
  fc.constantFrom(...KNOWN),
  fc
    .array(fc.constantFrom(...FRAGMENTS), { minLength: 1, maxLength: 6 })
    .map((all) => all.join('')),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.stringMatching(/^[aAbB_-]{1,4}$/),
  fc.stringMatching(/^[a-z0-9_-]{1,70}$/),
)

/** Each schema is quoted, and `pg_temp` comes last. */
const QUOTED_PATH = /^("[a-z_][a-z0-9_-]*", )+pg_temp$/

const RUNS = { numRuns: 100 }

beforeAll(async () => {
  await database.admin.query(
    `create table public.canary (alive text); insert into public.canary values ('yes')`,
  )
})

/** A refusal has a code and no result. */
interface Outcome<R> {
  readonly code?: ErrorCode
  readonly result?: R
}

/** What comes of a call that may be refused with one of the codes; another error fails the test. */
async function outcomeOf<R>(
  fn: () => R | Promise<R>,
  codes: readonly ErrorCode[],
): Promise<Outcome<R>> {
  try {
    return { result: await fn() }
  } catch (error) {
    if (!isTenantryError(error) || !codes.includes(error.code)) throw error
    return { code: error.code }
  }
}

/** Writes and reads in a schema, and looks at the path that it had. */
async function expectIsolated(db: Db, schema: string, extras = ''): Promise<void> {
  const { rows } = await db.query<{ schema: string; path: string }>(
    `select current_schema()::text as schema, current_setting('search_path') as path`,
  )
  expect(rows).toEqual([{ schema, path: `"${schema}", ${extras}pg_temp` }])
  expect(rows[0]?.path).toMatch(QUOTED_PATH)
  await db.query('create table if not exists own (whose text)')
  await db.query('insert into own values ($1)', [schema])
  const own = await db.query('select distinct whose from own')
  expect(own.rows).toEqual([{ whose: schema }])
  const found = await database.admin.query(
    'select schemaname::text as schema from pg_tables where tablename = $1 and schemaname = $2',
    ['own', schema],
  )
  expect(found.rows).toEqual([{ schema }])
}

async function expectCanary(): Promise<void> {
  const { rows } = await database.admin.query('select alive from public.canary')
  expect(rows).toEqual([{ alive: 'yes' }])
  const strays = await database.admin.query(`select to_regclass('public.own') as stray`)
  expect(strays.rows).toEqual([{ stray: null }])
}

/** Tells how many clients were taken while `fn` ran. */
async function takenDuring(pool: Pool, fn: () => Promise<unknown>): Promise<number> {
  let taken = 0
  const count = (): void => void (taken += 1)
  pool.on('acquire', count)
  await fn()
  pool.off('acquire', count)
  return taken
}

function routerWith(schemas: SchemasOptions): SchemaRouter {
  return new SchemaRouter({ pool: given().pool, schemas })
}

describe('a slug from outside', () => {
  it('is refused, or is the slug of a tenant that is isolated', async () => {
    const { router, acme } = given()
    const prefix = acme.schema.slice(0, -acme.slug.length)
    const made = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(hostile, async (slug) => {
        const created = await outcomeOf(
          () => router.tenants.create({ slug }),
          made.has(slug) ? ['TENANT_EXISTS'] : ['NAME_INVALID'],
        )
        if (created.result !== undefined) made.set(slug, created.result.schema)
        const schema = made.get(slug)
        expect([undefined, prefix + slug]).toContain(schema)
        if (schema === undefined) await expectUnknown(router, slug)
        else await router.withTenant(slug, (db) => expectIsolated(db, schema))
        await expectCanary()
      }),
      RUNS,
    )
    const { rows } = await database.admin.query<{ name: string }>(
      'select nspname::text as name from pg_namespace where nspname = any ($1)',
      [[...made.values()]],
    )
    expect(rows).toHaveLength(made.size)
  })

  async function expectUnknown(router: SchemaRouter, slug: string): Promise<void> {
    const uses = [
      () => router.withTenant(slug, (db) => db.query('select 1')),
      () => router.withTenant(slug, (db) => db.query('select 1'), { transaction: true }),
      () => router.runAs(slug, () => router.pool.query('select 1')),
      () => router.poolFor(slug).query('select 1'),
      () => router.poolFor(slug).connect(),
      () => router.tenants.get(slug),
    ]
    for (const use of uses) await expect(use()).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
    const more: readonly (() => Promise<unknown>)[] = [
      () => router.tenants.suspend(slug),
      () => router.tenants.domains.add(slug, 'unknown.example.com'),
    ]
    for (const use of more) {
      const { code } = await outcomeOf(use, ['NAME_INVALID', 'TENANT_NOT_FOUND'])
      expect(code).toBeDefined()
    }
  }

  it('never reaches the server when it is none', async () => {
    const { router, pool } = given()
    const none = hostile.filter((slug) => !/^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(slug))
    const taken = await takenDuring(pool, () =>
      fc.assert(
        fc.asyncProperty(none, (slug) => expectUnknown(router, slug)),
        RUNS,
      ),
    )
    expect(taken).toBe(0)
  })

  it.each(RESERVED)('may be the reserved word %s', async (word) => {
    const prefix = database.prefix()
    const router = routerWith({ shared: { name: `shared_${prefix}` }, tenants: { prefix } })
    const { schema } = await router.tenants.create({ slug: word })
    expect(schema).toBe(prefix + word)
    await router.withTenant(word, (db) => expectIsolated(db, schema))
  })

  it('never shares a schema with one that differs by case, hyphen or underscore', async () => {
    const prefix = database.prefix()
    const router = routerWith({ shared: { name: `shared_${prefix}` }, tenants: { prefix } })
    const slugs = ['a-b', 'a_b', 'a--b', 'a__b', 'a-_b', 'a_-b', 'ab']
    const schemas: string[] = []
    for (const slug of slugs) {
      const { schema } = await router.tenants.create({ slug })
      schemas.push(schema)
      await router.withTenant(slug, (db) => expectIsolated(db, schema))
    }
    expect(new Set(schemas).size).toBe(slugs.length)
    for (const slug of ['A-B', 'a-B', 'A_b', 'AB']) {
      await expect(router.tenants.create({ slug })).rejects.toMatchObject({ code: 'NAME_INVALID' })
      await expectUnknown(router, slug)
    }
  })

  it('that is too long behind its prefix is refused, not cut off', async () => {
    const prefix = database.prefix()
    const router = routerWith({ shared: { name: `shared_${prefix}` }, tenants: { prefix } })
    const longest = 'a'.repeat(63 - prefix.length)
    const { schema } = await router.tenants.create({ slug: longest })
    expect(Buffer.byteLength(schema)).toBe(63)
    await router.withTenant(longest, (db) => expectIsolated(db, schema))
    const longer = router.tenants.create({ slug: `${longest}a` })
    await expect(longer).rejects.toMatchObject({ code: 'NAME_INVALID' })
    await expectUnknown(router, `${longest}a`)
  })
})

describe('a tenant object from outside', () => {
  it('is taken by its slug: the registry knows the schema', async () => {
    const { router, acme, beta } = given()
    const tenant = await router.tenants.get(acme.slug)
    const schemas = fc.oneof(fc.constantFrom('public', beta.schema), hostile)
    await fc.assert(
      fc.asyncProperty(schemas, async (schema) => {
        const forged = { ...tenant, schema }
        await router.withTenant(forged, (db) => expectIsolated(db, acme.schema))
        const { rows } = await router.poolFor(forged).query('select body from notes')
        expect(rows).toEqual([{ body: acme.schema }])
      }),
      { numRuns: 30 },
    )
  })

  it('is refused when the registry itself names no schema', async () => {
    const prefix = database.prefix()
    const shared = `shared_${prefix}`
    const options = { shared: { name: shared }, tenants: { prefix } }
    await routerWith(options).tenants.create({ slug: 'acme' })
    const writable = hostile.filter((name) => !name.includes('\0') && !/^[a-z_]/.test(name))
    await fc.assert(
      fc.asyncProperty(writable, async (schema) => {
        await database.admin.query(`update ${shared}.tenantry_tenants set schema = $1`, [schema])
        const scope = routerWith(options).withTenant('acme', (db) => db.query('select 1'))
        await expect(scope).rejects.toMatchObject({ code: 'NAME_INVALID' })
        await expectCanary()
      }),
      { numRuns: 30 },
    )
  })
})

describe('a schema name from outside', () => {
  it('is refused by withSchema unless it is configured', async () => {
    const { router, pool } = given()
    const names = hostile.filter((name) => name !== 'public')
    const taken = await takenDuring(pool, () =>
      fc.assert(
        fc.asyncProperty(names, async (name) => {
          const { code } = await outcomeOf(
            () => router.withSchema(name, (db) => db.query('select 1')),
            ['NAME_INVALID', 'OPTIONS_INVALID'],
          )
          expect(code).toBeDefined()
        }),
        RUNS,
      ),
    )
    expect(taken).toBe(0)
  })

  it('of a tenant is refused by withSchema', async () => {
    const { router, acme } = given()
    const scope = router.withSchema(acme.schema, (db) => db.query('select 1'))
    await expect(scope).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})

describe('a name in the options', () => {
  const REFUSALS: readonly ErrorCode[] = ['NAME_INVALID', 'OPTIONS_INVALID']
  let counter = 0

  /** Slugs of one length, so that no two of them make one schema behind different prefixes. */
  function nextSlug(): string {
    counter += 1
    return `z${String(counter).padStart(4, '0')}`
  }

  async function create(name: string): Promise<void> {
    const client = await database.admin.connect()
    await client.query(`create schema if not exists ${client.escapeIdentifier(name)}`)
    client.release()
  }

  it.each<[string, (name: string) => SchemasOptions]>([
    ['a static schema', (name) => ({ static: { [name]: {} } })],
    ['the shared schema', (name) => ({ shared: { name } })],
  ])('is refused as the one of %s, or leads to that schema only', async (_, optionsOf) => {
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const { result: router } = await outcomeOf(() => routerWith(optionsOf(name)), REFUSALS)
        if (router === undefined || name === 'public') return
        await create(name)
        await router.withSchema(name, (db) => expectIsolated(db, name))
        await expectCanary()
      }),
      RUNS,
    )
  })

  it.each(RESERVED)('may be the reserved word %s', async (word) => {
    await create(word)
    const router = routerWith({ static: { [word]: {} } })
    await router.withSchema(word, (db) => expectIsolated(db, word))
  })

  it('is refused as a prefix, or begins the schema of each tenant', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (prefix) => {
        const { result: router } = await outcomeOf(
          () => routerWith({ tenants: { prefix } }),
          REFUSALS,
        )
        if (router === undefined) return
        const slug = nextSlug()
        const created = await outcomeOf(() => router.tenants.create({ slug }), REFUSALS)
        if (created.result === undefined) return
        expect(created.result.schema).toBe(prefix + slug)
        await router.withTenant(slug, (db) => expectIsolated(db, prefix + slug))
        await expectCanary()
      }),
      RUNS,
    )
  })

  it('is refused in the search path, or stands quoted behind the tenant’s schema', async () => {
    const prefix = database.prefix()
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const schemas = { tenants: { prefix, searchPath: [name] } }
        const { result: router } = await outcomeOf(() => routerWith(schemas), REFUSALS)
        if (router === undefined) return
        await create(name)
        const { slug, schema } = await router.tenants.create({ slug: nextSlug() })
        await router.withTenant(slug, (db) => expectIsolated(db, schema, `"${name}", `))
        await expectCanary()
      }),
      RUNS,
    )
  })
})

describe('a domain from outside', () => {
  const domains = fc.oneof(
    hostile,
    hostile.map((name) => `${name}.example.com`),
    hostile.map((name) => `example.com/${name}`),
  )

  async function expectLeadsTo(
    router: SchemaRouter,
    slug: string,
    { host, path }: Domain,
  ): Promise<void> {
    expect(host).toMatch(/^[a-z0-9._-]+$/)
    expect(path).toMatch(/^(\/[A-Za-z0-9._~-]+)*$/)
    const found = await router.resolve({ host, path: path === '' ? '/' : path })
    expect(found).toMatchObject({ kind: 'tenant', tenant: { slug }, domain: { host, path } })
  }

  it('is refused, or leads to its tenant', async () => {
    const { router, acme, beta } = given()
    await fc.assert(
      fc.asyncProperty(domains, async (domain) => {
        const added = await outcomeOf(
          () => router.tenants.domains.add(acme.slug, domain),
          ['NAME_INVALID', 'DOMAIN_TAKEN'],
        )
        if (added.result !== undefined) await expectLeadsTo(router, acme.slug, added.result)
        expect(await router.tenants.domains.list(beta.slug)).toEqual([])
        await expectCanary()
      }),
      RUNS,
    )
  })

  it('of a request leads nowhere but to a tenant that has it', async () => {
    const { router, acme, beta } = given()
    await router.tenants.domains.add(beta.slug, 'beta.example.com/only-here')
    await router.tenants.domains.add(acme.slug, 'any.example.com')
    const known = await router.tenants.domains.list(acme.slug)
    await fc.assert(
      fc.asyncProperty(domains, hostile, async (host, path) => {
        const found = await router.resolve({ host, path })
        expect([undefined, ...known]).toContainEqual(
          found?.kind === 'tenant' ? found.domain : found,
        )
        const near = await router.resolve({ host: 'beta.example.com', path })
        expect(near).toBeUndefined()
        await expectCanary()
      }),
      RUNS,
    )
  })
})
