import {
  type RunReport,
  SchemaRouter,
  type SchemaRouterOptions,
  isTenantryError,
  select,
} from 'tenantry'
import { describe, expect, it } from 'vitest'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { type FleetFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Setup {
  readonly prefix: string
  /** The schema of the extensions. */
  readonly place: string
  router(files: FleetFiles, create: readonly string[]): Promise<SchemaRouter>
}

function setUp(): Setup {
  const prefix = database.prefix()
  const place = `ext_${prefix}`
  return {
    prefix,
    place,
    router: async (files, create) =>
      new SchemaRouter({
        pool: database.pool(),
        schemas: await migrations.fleet(prefix, files),
        extensions: { schema: place, create },
      }),
  }
}

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  )

async function placeOfExtension(name: string): Promise<unknown> {
  const { rows } = await database.admin.query(
    `select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where extname = $1`,
    [name],
  )
  return rows[0]?.nspname
}

describe('extensions', () => {
  it('are made once, in the shared step, and their types and operators are found in scopes', async () => {
    const { place, router } = setUp()
    const tenants = { '1_people.sql': 'create table people (name citext unique)' }
    const main = { '1_words.sql': 'create table words (word citext)' }
    const made = await router({ tenants, main }, ['citext'])
    await made.migrations.up()
    await made.tenants.create({ slug: 'acme' })
    expect(await placeOfExtension('citext')).toBe(place)
    const found = await made.withTenant('acme', async (db) => {
      await db.query(`insert into people values ('Ada')`)
      const { rows } = await db.query(`select name from people where name = 'aDA'`)
      return rows
    })
    expect(found).toEqual([{ name: 'Ada' }])
  })

  it('are made by whoever creates the first tenant, too', async () => {
    const { place, router } = setUp()
    const tenants = { '1_tags.sql': 'create table tags (tags hstore)' }
    await (await router({ tenants }, ['hstore'])).tenants.create({ slug: 'acme' })
    expect(await placeOfExtension('hstore')).toBe(place)
  })

  it('are made by one of many runs at once, and fail for none', async () => {
    const { place, router } = setUp()
    const routers = await Promise.all([1, 2, 3, 4].map(() => router({}, ['ltree', 'cube'])))
    await Promise.all(routers.map((each) => each.migrations.up()))
    expect(await placeOfExtension('ltree')).toBe(place)
    expect(await placeOfExtension('cube')).toBe(place)
  })

  it('cost no query more where all of them are there, so that a run of nothing takes three', async () => {
    const { prefix, place } = setUp()
    const tenants = {
      '1_x.sql': 'create extension if not exists isn; create table books (isbn text)',
    }
    const schemas = await migrations.fleet(prefix, { tenants })
    const queriesOf = async (
      slugs: readonly string[],
      more: Partial<SchemaRouterOptions>,
    ): Promise<number> => {
      const pool = database.pool()
      const counter = countQueries(pool)
      const router = new SchemaRouter({ pool, schemas, ...more })
      await router.migrations.up()
      for (const slug of slugs) await router.tenants.create({ slug })
      counter.queries = 0
      await router.migrations.up()
      return counter.queries
    }
    const extensions = { schema: place, create: ['isn'] }
    expect(await queriesOf(['acme', 'beta'], { extensions })).toBe(3)
    expect(await queriesOf([], {})).toBe(3)
  })

  it('are found by a file that runs outside of a transaction', async () => {
    const { prefix, router } = setUp()
    const first = { '1_people.sql': 'create table people (id int)' }
    await (await router({ tenants: first }, ['btree_gist'])).tenants.create({ slug: 'acme' })
    const tenants = {
      ...first,
      '2_index.sql': `create extension if not exists btree_gist;
        create index concurrently by_id on people using gist (id);`,
    }
    const made = await router({ tenants }, ['btree_gist'])
    const { outcomes } = await made.migrations.up()
    expect(outcomes.at(-1)).toMatchObject({ schema: `${prefix}acme`, applied: ['2_index.sql'] })
    const { rows } = await database.admin.query(
      `select indisvalid from pg_index where indexrelid = '${prefix}acme.by_id'::regclass`,
    )
    expect(rows).toEqual([{ indisvalid: true }])
  })

  it('are on the paths of the shared schema and of static ones', async () => {
    const { prefix, place, router } = setUp()
    const made = await router({}, ['earthdistance'])
    await made.migrations.up()
    for (const schema of [`shared_${prefix}`, `main_${prefix}`]) {
      const path = await made.withSchema(schema, async (db) => {
        await db.query('select earth()')
        return (await db.query(`select array_to_json(current_schemas(false))::text as path`)).rows
      })
      expect(path).toEqual([{ path: JSON.stringify([schema, place]) }])
    }
  })

  it('never answer before the tenant’s own tables', async () => {
    const { place, router } = setUp()
    const made = await router({ tenants: { '1_loans.sql': 'create table loans (id int)' } }, [
      'seg',
    ])
    await made.tenants.create({ slug: 'acme' })
    await database.admin.query(`create table ${place}.loans as select 666 as id`)
    const { rows } = await made.withTenant('acme', (db) => db.query('select id from loans'))
    expect(rows).toEqual([])
  })

  it('in another schema are an error that says how to move them', async () => {
    const { place, prefix, router } = setUp()
    await database.admin.query(`create schema x_${prefix}; create extension tcn schema x_${prefix}`)
    expect(await refusal((await router({}, ['tcn'])).migrations.up())).toMatchObject({
      code: 'EXTENSION_MISPLACED',
      extension: 'tcn',
      schema: `x_${prefix}`,
      message: expect.stringContaining(`alter extension "tcn" set schema "${place}"`),
    })
  })

  it('that the server does not have are an error, and none of the others is made', async () => {
    const { router } = setUp()
    const error = await refusal((await router({}, ['lo', 'no_such_thing'])).migrations.up())
    expect(error).toMatchObject({ code: 'EXTENSION_UNAVAILABLE', extension: 'no_such_thing' })
    expect(await placeOfExtension('lo')).toBeUndefined()
  })
})

describe('CREATE EXTENSION in a migration', () => {
  it('is skipped when it is made for all, in any spelling, and lines stay lines', async () => {
    const { prefix, router } = setUp()
    const tenants = {
      '1_words.sql': `CREATE /* all */ EXTENSION -- them
        IF NOT EXISTS "pg_trgm" WITH SCHEMA public;
        create extension Unaccent;
        create table words (word text); create index on words using gin (word gin_trgm_ops);`,
    }
    const made = await router({ tenants }, ['pg_trgm', 'unaccent'])
    await made.tenants.create({ slug: 'acme' })
    await made.migrations.up()
    expect(await made.migrations.verify()).toMatchObject({ findings: [] })
    const files = { ...tenants, '2_more.sql': 'create extension pg_trgm;\n\nselect nothing' }
    const error = await refusal((await router({ tenants: files }, ['pg_trgm'])).migrations.up())
    const report = isTenantryError(error) ? (error.report as RunReport) : undefined
    const failed = report?.outcomes.find(({ status }) => status === 'failed')
    expect(failed?.error).toMatchObject({
      schema: `${prefix}acme`,
      migration: '2_more.sql',
      line: 3,
    })
  })

  it('is skipped when somebody has installed it', async () => {
    const { prefix, place, router } = setUp()
    await database.admin.query(`create schema ${place}; create extension bloom schema ${place}`)
    const tenants = { '1_bloom.sql': 'create extension bloom; create table loans (id int)' }
    const made = await router({ tenants }, [])
    expect(await made.tenants.create({ slug: 'acme' })).toMatchObject({ schema: `${prefix}acme` })
  })

  it('is an error otherwise, before anything is run', async () => {
    const { prefix, router } = setUp()
    const tenants = { '1_loans.sql': 'create table loans (id int);\ncreate extension intarray' }
    const made = await router({ tenants }, [])
    expect(await refusal(made.tenants.create({ slug: 'acme' }))).toMatchObject({
      code: 'EXTENSION_MISSING',
      extension: 'intarray',
      migration: '1_loans.sql',
      line: 2,
    })
    const { rows } = await database.admin.query('select from pg_namespace where nspname = $1', [
      `${prefix}acme`,
    ])
    expect(rows).toEqual([])
  })

  it('is an error that names the shared schema where a run of that will make it', async () => {
    const { prefix, router } = setUp()
    const first = { '1_loans.sql': 'create table loans (id int)' }
    const old = await router({ tenants: first }, [])
    await old.tenants.create({ slug: 'acme' })
    const more = { ...first, '2_x.sql': 'create extension autoinc' }
    const late = await router({ tenants: more }, ['autoinc'])
    const error = await refusal(late.migrations.up({ select: select.tenants() }))
    expect(error).toMatchObject({
      code: 'EXTENSION_MISSING',
      extension: 'autoinc',
      message: expect.stringContaining(`"tenantry migrate -s shared_${prefix}"`),
    })
    expect(error).not.toMatchObject({ message: expect.stringContaining('Add it to') })
    expect(await placeOfExtension('autoinc')).toBeUndefined()
    await late.migrations.up({ select: select.shared() })
    const { outcomes } = await late.migrations.up({ select: select.tenants() })
    expect(outcomes).toMatchObject([{ status: 'done', applied: ['2_x.sql'] }])
  })

  it('is no matter any more in a migration that ran long ago', async () => {
    const { router } = setUp()
    const old = { '1_loans.sql': '-- extension\ncreate table loans (id int)' }
    const made = await router({ tenants: old }, [])
    await made.tenants.create({ slug: 'acme' })
    const { outcomes } = await made.migrations.up()
    expect(outcomes.every(({ status }) => status === 'current' || status === 'done')).toBe(true)
  })
})

describe('DROP EXTENSION in a migration', () => {
  it('is an error before anything is run, there and back', async () => {
    const { router } = setUp()
    const first = { '1_loans.sql': 'create table loans (id int)' }
    const made = await router({ tenants: first }, [])
    await made.tenants.create({ slug: 'acme' })
    const there = await router({ tenants: { ...first, '2_x.sql': 'drop extension citext' } }, [])
    expect(await refusal(there.migrations.up())).toMatchObject({
      code: 'EXTENSION_DROPPED',
      migration: '2_x.sql',
    })
    const back = { ...first, 'down/1_loans.sql': 'drop table loans;\ndrop extension citext' }
    const down = (await router({ tenants: back }, [])).migrations.down()
    expect(await refusal(down)).toMatchObject({
      code: 'EXTENSION_DROPPED',
      line: 2,
      file: expect.stringContaining('down/1_loans.sql'),
    })
  })
})

describe('an extension in a migration', () => {
  const FORMS: readonly (readonly [sql: string, name: string])[] = [
    ['create extension"fuzzystrmatch"', 'fuzzystrmatch'],
    ['CREATE EXTENSION IF NOT EXISTS"Odd ""one"""', 'Odd "one"'],
    ["create /* a /* b */ c */ extension -- d\n DICT_INT with version '1'", 'dict_int'],
    ['create extension if not exists dict_xsyn cascade', 'dict_xsyn'],
    [String.raw`create extension U&"in\0074agg" schema x`, 'intagg'],
    [String.raw`create extension if not exists u&"s\+00006C\\o"`, String.raw`sl\o`],
    ['create extension u&"ex!0063el" UESCAPE \'!\'', 'excel'],
  ]

  it.each(FORMS)('is recognised in %j', async (sql, extension) => {
    const { router } = setUp()
    const made = await router({ tenants: { '1_x.sql': `select 1;\n${sql};` } }, [])
    expect(await refusal(made.tenants.create({ slug: 'acme' }))).toMatchObject({
      code: 'EXTENSION_MISSING',
      extension,
      line: 2,
    })
  })

  it.each([
    'drop extension"citext"',
    'drop extension if exists/*x*/"citext" cascade',
    String.raw`drop extension u&"cit\0065xt"`,
  ])('is not dropped by %j', async (sql) => {
    const { router } = setUp()
    const made = await router({ tenants: { '1_x.sql': sql } }, [])
    expect(await refusal(made.tenants.create({ slug: 'acme' }))).toMatchObject({
      code: 'EXTENSION_DROPPED',
      extension: 'citext',
    })
  })
})

describe('the option "extensions"', () => {
  it.each([
    ['a misspelt key', { names: ['citext'] }],
    ['a text for a list', { create: 'citext' }],
    ['a name that is none', { create: [''] }],
    ['a schema that is no name', { schema: '' }],
    ['a schema of a tenant', { schema: 'tenant_acme' }],
    ['a static schema', { schema: 'main' }],
  ])('refuses %s', (_, extensions) => {
    const options = { connectionString: 'postgres://h/d', schemas: { static: { main: {} } } }
    expect(() => new SchemaRouter({ ...options, extensions: extensions as object })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(OPTIONS|NAME)_INVALID$/) }),
    )
  })
})
