import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { AWKWARD } from '../integration/awkward-schema.js'
import { type Fleet, type FleetOptions, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_create_loans.sql': 'create table loans (id int primary key, lender text not null)',
}

async function setUp(tenants = LOANS, options: FleetOptions = {}): Promise<Fleet> {
  const fleet = await openFleet(
    database,
    migrations,
    { shared: { '1_loans.sql': `create table loans (id int, lender text)` }, tenants },
    options,
  )
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme', domains: ['acme.example.com'] })
  return fleet
}

const lenders = async ({ router }: Fleet, slug: string): Promise<unknown> =>
  router.withTenant(slug, async (db) => (await db.query('select lender from loans')).rows)

async function lend({ router }: Fleet, slug: string, lender: string): Promise<void> {
  await router.withTenant(slug, (db) => db.query('insert into loans values (1, $1)', [lender]))
}

describe('tenants.rename', () => {
  it('gives a new slug, and leaves the schema and the domains', async () => {
    const fleet = await setUp()
    await lend(fleet, 'acme', 'Acme')
    const { router, prefix } = fleet
    const before = await router.tenants.get('acme')
    expect(await router.tenants.rename('acme', { slug: 'apex' })).toEqual({
      ...before,
      slug: 'apex',
    })
    expect(await lenders(fleet, 'apex')).toEqual([{ lender: 'Acme' }])
    expect(await router.tenants.find('acme')).toBeUndefined()
    expect(await router.tenants.domains.list('apex')).toMatchObject([{ host: 'acme.example.com' }])
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(true)
  })

  it('gives the schema a new name together with the slug', async () => {
    const fleet = await setUp()
    await lend(fleet, 'acme', 'Acme')
    const { router, prefix } = fleet
    const names = { slug: 'apex', schema: `${prefix}apex` }
    expect(await router.tenants.rename('acme', names)).toMatchObject(names)
    expect(await lenders(fleet, 'apex')).toEqual([{ lender: 'Acme' }])
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(false)
    expect(await router.tenants.create({ slug: 'acme' })).toMatchObject({ slug: 'acme' })
    expect(await lenders(fleet, 'acme')).toEqual([])
  })

  it('gives the schema a new name, and migrations go on there', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await router.tenants.rename('acme', { schema: `${prefix}other` })
    await lend(fleet, 'acme', 'Acme')
    expect(await fleet.one(`select lender from ${prefix}other.loans`)).toBe('Acme')
    expect(await router.migrations.status()).toMatchObject([
      {},
      {},
      { schema: `${prefix}other`, pending: [] },
    ])
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('takes everything along that refers to the schema by itself', async () => {
    const { router, prefix } = await setUp(AWKWARD)
    await router.tenants.rename('acme', { schema: `${prefix}else-where` })
    expect((await router.migrations.verify()).findings).toEqual([])
    const { rows } = await router.withTenant('acme', (db) => db.query('select total()'))
    expect(rows).toEqual([{ total: null }])
  })

  it.each([
    ['the slug of another tenant', { slug: 'beta' }, 'TENANT_EXISTS'],
    ['the schema of another tenant', { schema: 'PREFIXbeta' }, 'TENANT_EXISTS'],
    ['a schema that nobody owns', { schema: 'PREFIXorphan' }, 'SCHEMA_EXISTS'],
    ['the shared schema', { schema: 'shared_PREFIX' }, 'SCHEMA_EXISTS'],
    ['a static schema', { schema: 'main_PREFIX' }, 'SCHEMA_EXISTS'],
    ['a name that is none', { schema: 'a"b' }, 'NAME_INVALID'],
    ['no new name', {}, 'OPTIONS_INVALID'],
  ])('refuses %s and changes nothing', async (_, names, code) => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await router.tenants.create({ slug: 'beta' })
    await database.admin.query(`create schema ${prefix}orphan`)
    const before = await router.tenants.list()
    const own = Object.fromEntries(
      Object.entries(names).map(([key, name]) => [key, name.replace('PREFIX', prefix)]),
    )
    await expect(router.tenants.rename('acme', own)).rejects.toMatchObject({ code })
    expect(await fleet.another().tenants.list()).toEqual(before)
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(true)
  })

  it('says that nobody has the slug', async () => {
    const { router } = await setUp()
    await expect(router.tenants.rename('nobody', { slug: 'b' })).rejects.toMatchObject({
      code: 'TENANT_NOT_FOUND',
    })
  })

  it('says that the schema is missing', async () => {
    const { router, prefix } = await setUp()
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    await expect(router.tenants.rename('acme', { schema: `${prefix}b` })).rejects.toMatchObject({
      code: 'SCHEMA_MISSING',
      schema: `${prefix}acme`,
    })
  })
})

describe('tenants.rename of a schema whose name stands in texts', () => {
  it('corrects the paths that functions set', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await database.admin.query(`
      create function ${prefix}acme.first() returns text language sql
        set search_path = "${prefix}acme", ${prefix}acme, pg_temp as 'select lender from loans';
      create procedure ${prefix}acme.second(id int) language sql
        set search_path = public, ${prefix}acme as 'select 1';`)
    await lend(fleet, 'acme', 'Acme')
    await router.tenants.rename('acme', { schema: `${prefix}apex` })
    expect(await fleet.one(`select ${prefix}apex.first()`)).toBe('Acme')
    const paths = await fleet.one(
      `select string_agg(array_to_string(proconfig, ''), ' ' order by proname) from pg_proc
       where pronamespace = '${prefix}apex'::regnamespace and proconfig is not null`,
    )
    expect(paths).not.toContain(`${prefix}acme`)
    expect(paths).toContain(`${prefix}apex`)
  })

  it.each([
    [
      'a function’s body',
      `create function NAME.f() returns int language plpgsql as
       $$ begin return (select count(*) from NAME.loans); end $$`,
      'function NAME.f()',
    ],
    [
      'a default',
      `alter table NAME.loans alter lender set default 'NAME.x'`,
      'column loans.lender',
    ],
    [
      'a sequence by text',
      `create sequence NAME.s;
       alter table NAME.loans alter id set default nextval('NAME.s'::text)`,
      'column loans.id',
    ],
    ['a comment', `comment on table NAME.loans is 'see NAME.loans'`, 'comment on table loans'],
    ['the schema’s comment', `comment on schema NAME is 'NAME, ours'`, 'comment on schema'],
    ['a view', `create view NAME.v as select 'NAME' as home`, 'view v'],
    ['a check', `alter table NAME.loans add check (lender <> 'NAME')`, 'constraint'],
    [
      'another schema’s function',
      `create function SHARED.f() returns bigint language plpgsql as
       $$ begin return (select count(*) from NAME.loans); end $$`,
      'SHARED.f()',
    ],
    [
      'another schema’s path',
      `create function SHARED.f() returns int language sql
       set search_path = NAME as 'select 1'`,
      'SHARED.f()',
    ],
  ])('refuses %s, names the place and changes nothing', async (_, sql, place) => {
    const fleet = await setUp()
    const { router, prefix, shared } = fleet
    const named = (text: string): string =>
      text.replaceAll('NAME', `${prefix}acme`).replaceAll('SHARED', shared)
    await database.admin.query(named(sql))
    const renaming = router.tenants.rename('acme', { slug: 'apex', schema: `${prefix}apex` })
    const shown = named(place).replace(`function ${prefix}acme.`, 'function ')
    await expect(renaming).rejects.toMatchObject({
      code: 'RENAME_UNSAFE',
      tenant: 'acme',
      schema: `${prefix}acme`,
      candidates: [expect.stringContaining(shown)],
    })
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(true)
    expect(await router.tenants.get('acme')).toMatchObject({ schema: `${prefix}acme` })
  })

  it('does not take a longer name for the schema’s', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await database.admin.query(
      `comment on table ${prefix}acme.loans is '${prefix}acme2, x${prefix}acme and ${prefix}acme-b'`,
    )
    await router.tenants.rename('acme', { schema: `${prefix}apex` })
    expect(await fleet.schemaExists(`${prefix}apex`)).toBe(true)
  })

  it('goes ahead when it is told to', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await database.admin.query(`comment on table ${prefix}acme.loans is '${prefix}acme'`)
    await router.tenants.rename('acme', { schema: `${prefix}apex` }, { force: true })
    expect(await fleet.schemaExists(`${prefix}apex`)).toBe(true)
  })
})

describe('tenants.rename beside running scopes', () => {
  it('lets a transaction finish in the schema in which it began', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    const { router, prefix } = fleet
    await database.admin.query(`insert into ${fleet.shared}.loans values (9, 'nobody')`)
    let renaming: Promise<unknown> = Promise.resolve()
    const read = await fleet.another().withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
        await waitsForSchema(fleet)
        await db.query(`insert into loans values (1, 'Acme')`)
        return (await db.query('select lender from loans')).rows
      },
      { transaction: true },
    )
    expect(read).toEqual([{ lender: 'Acme' }])
    await renaming
    expect(await lenders(fleet, 'acme')).toEqual([{ lender: 'Acme' }])
  })

  it('fails a statement that comes with the former name, and lets no other schema answer', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    const { router, prefix } = fleet
    await fleet.another().withTenant('acme', async (db) => {
      await db.query('select 1')
      await router.tenants.rename('acme', { schema: `${prefix}apex` })
      await expect(db.query('select lender from loans')).rejects.toMatchObject({
        code: 'SCHEMA_MISSING',
      })
    })
  })

  it('makes a transaction wait that begins meanwhile, and then fail', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    const { router, prefix } = fleet
    const other = fleet.another()
    let waiting: Promise<unknown> = Promise.resolve()
    await other.withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        const renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
        await waitsForSchema(fleet)
        waiting = Promise.allSettled([
          renaming,
          other.withTenant('acme', (late) => late.query('select lender from loans'), {
            transaction: true,
          }),
        ])
        await waitsForSchema(fleet, 2)
      },
      { transaction: true },
    )
    expect(await waiting).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'SCHEMA_MISSING' } },
    ])
  })

  it('waits for a scope that has set the path of its session, which is served throughout', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    await lend(fleet, 'acme', 'Acme')
    const { router, prefix } = fleet
    await database.admin.query(`insert into ${fleet.shared}.loans values (9, 'nobody')`)
    let renaming: Promise<unknown> = Promise.resolve()
    await fleet.another().withTenant(
      'acme',
      async (db) => {
        await db.query('vacuum loans')
        renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
        await isHeld(fleet)
        const { rows } = await db.query('select lender from loans')
        expect(rows).toEqual([{ lender: 'Acme' }])
      },
      { scope: 'session' },
    )
    await renaming
    expect(await lenders(fleet, 'acme')).toEqual([{ lender: 'Acme' }])
  })

  it('gives up when such a scope goes on for too long, as a purge does', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    const busy = { code: 'TENANT_BUSY', schema: `${prefix}acme` }
    await fleet.another().withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        const names = { schema: `${prefix}apex` }
        await expect(
          router.tenants.rename('acme', names, { lockTimeout: 50 }),
        ).rejects.toMatchObject(busy)
        await router.tenants.delete('acme')
        const purging = router.tenants.purge('acme', { confirm: 'acme', lockTimeout: 50 })
        await expect(purging).rejects.toMatchObject(busy)
        expect((await db.query('select lender from loans')).rows).toEqual([])
      },
      { scope: 'session' },
    )
    await router.tenants.purge('acme', { confirm: 'acme' })
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(false)
  })

  it('makes a session scope wait that begins meanwhile, and then fail', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    const { router, prefix } = fleet
    const other = fleet.another()
    let waiting: Promise<unknown> = Promise.resolve()
    await other.withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        const renaming = router.tenants.rename('acme', { schema: `${prefix}apex` })
        await waitsForSchema(fleet)
        const late = other.withTenant('acme', (own) => own.query('select lender from loans'), {
          scope: 'session',
        })
        waiting = Promise.allSettled([renaming, late])
        await waitsFor(fleet, 'advisory')
      },
      { transaction: true },
    )
    expect(await waiting).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'SCHEMA_MISSING' } },
    ])
  })

  it('says at once that a pool of one client is too small, and needs no more for the slug', async () => {
    const fleet = await setUp()
    const { prefix, schemas } = fleet
    const pool = database.pool({ max: 1 })
    const router = new SchemaRouter({ pool, schemas, scope: { acquireTimeout: 600_000 } })
    await expect(router.tenants.rename('acme', { schema: `${prefix}apex` })).rejects.toMatchObject({
      code: 'POOL_STARVED',
    })
    expect(await fleet.schemaExists(`${prefix}acme`)).toBe(true)
    expect(await router.tenants.rename('acme', { slug: 'apex' })).toMatchObject({ slug: 'apex' })
    expect(await lenders(fleet, 'apex')).toEqual([])
  })

  it('gives up after a while, and changes nothing', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    await fleet.another().withTenant(
      'acme',
      async (db) => {
        await db.query('select 1')
        const renaming = router.tenants.rename(
          'acme',
          { schema: `${prefix}apex` },
          { lockTimeout: 50 },
        )
        await expect(renaming).rejects.toMatchObject({
          code: 'TENANT_BUSY',
          schema: `${prefix}acme`,
        })
        await db.query('select lender from loans')
      },
      { transaction: true },
    )
    expect(await lenders(fleet, 'acme')).toEqual([])
  })

  it('gives up when somebody keeps a table locked', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    const gate = await database.admin.connect()
    await gate.query(`begin; lock table ${prefix}acme.migrations`)
    const renaming = router.tenants.rename('acme', { schema: `${prefix}b` }, { lockTimeout: 50 })
    await expect(renaming).rejects.toMatchObject({ code: 'TENANT_BUSY' })
    await gate.query('rollback')
    gate.release()
  })

  it('serves readers and writers in other processes throughout, and never wrongly', async () => {
    const fleet = await setUp(LOANS, { searchShared: true })
    const { router, prefix } = fleet
    await lend(fleet, 'acme', 'Acme')
    await database.admin.query(`insert into ${fleet.shared}.loans values (9, 'nobody')`)
    const others = [fleet.another(), fleet.another()]
    const over = new AbortController()
    const wrong: unknown[] = []
    const reader = async (other: (typeof others)[number]): Promise<void> => {
      while (!over.signal.aborted) {
        try {
          const rows = await other.withTenant(
            'acme',
            async (db) => {
              await db.query('select 1')
              return (await db.query<{ lender: string }>('select lender from loans')).rows
            },
            { transaction: true },
          )
          if (rows.length !== 1 || rows[0]?.lender !== 'Acme') wrong.push(rows)
        } catch (error) {
          if (!(error instanceof Error) || !('code' in error)) wrong.push(error)
          else if (error.code !== 'SCHEMA_MISSING') wrong.push(error)
        }
      }
    }
    const readers = others.flatMap((other) => [reader(other), reader(other)])
    for (let round = 0; round < 10; round += 1) {
      await router.tenants.rename('acme', { schema: `${prefix}round${round % 2}` })
    }
    over.abort()
    await Promise.all(readers)
    expect(wrong).toEqual([])
  })
})

/** Resolves when so many backends wait for a lock on a schema. */
const waitsForSchema = (fleet: Fleet, count = 1): Promise<void> => waitsFor(fleet, 'object', count)

async function waitsFor({ one }: Fleet, kind: string, count = 1): Promise<void> {
  const waiting = `select count(*)::int from pg_locks l join pg_stat_activity a using (pid)
    where a.datname = current_database() and not l.granted and l.locktype = '${kind}'`
  while (Number(await one(waiting)) < count);
}

/** Resolves when somebody keeps migrations off a schema. */
async function isHeld({ one }: Fleet): Promise<void> {
  const held = `select count(*)::int from pg_locks l join pg_stat_activity a using (pid)
    where a.datname = current_database() and l.locktype = 'advisory' and mode = 'ExclusiveLock'`
  while (Number(await one(held)) === 0);
}
