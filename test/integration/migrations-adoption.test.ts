import { Client } from 'pg'
import { migrate } from 'postgres-migrations'
import { SchemaRouter, select } from 'tenantry'
import { directory } from 'tenantry/migrate'
import { beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS: MigrationFiles = {
  '1_create-loans.sql': 'create table loans (id int primary key);',
  '2-größe.sql': `comment on table loans is 'größer als 😀';`,
  '3.sql': 'insert into loans values (1);',
}
const MORE: MigrationFiles = { ...LOANS, '4_fees.sql': 'create table fees ();' }

// Its migrate() looks for its table in all schemas: there must be no other.
beforeEach(async () => {
  const { rows } = await database.admin.query<{ schema: string }>(
    `select relnamespace::regnamespace::text as schema from pg_class where relname = 'migrations'`,
  )
  for (const { schema } of rows) await database.admin.query(`drop schema ${schema} cascade`)
})

/** Runs `migrate()` of postgres-migrations in one schema, and tells the names that it ran. */
async function theirs(schema: string, folder: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: database.url, options: `-c search_path=${schema}` })
  await client.connect()
  try {
    return (await migrate({ client }, folder)).map(({ name }) => name)
  } finally {
    await client.end()
  }
}

async function ledgerOf(schema: string): Promise<readonly unknown[]> {
  const { rows } = await database.admin.query(`select * from ${schema}.migrations order by id`)
  return rows
}

function routerOf(prefix: string, folder: string): SchemaRouter {
  const schemas = {
    shared: { name: `shared_${prefix}` },
    tenants: { prefix, migrations: folder },
  }
  return new SchemaRouter({ pool: database.pool(), schemas })
}

describe('directory', () => {
  it('adopts a schema that postgres-migrations migrated, as it is', async () => {
    const prefix = database.prefix()
    const folder = await migrations.folder(LOANS)
    const schema = `${prefix}acme`
    await database.admin.query(`create schema ${schema}`)
    expect(await theirs(schema, folder)).toHaveLength(4)
    const router = routerOf(prefix, folder)
    // Registers the tenant; that its schema is there already is the point of this test.
    await router.migrations.up({ select: select.shared() })
    await database.admin.query(
      `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
       values ('acme', 'acme', '${schema}')`,
    )
    const before = await ledgerOf(schema)
    expect(await router.migrations.status({ select: select.tenants() })).toMatchObject([
      { version: 3, pending: [] },
    ])
    const report = await router.migrations.up({ select: select.tenants() })
    expect(report.outcomes).toMatchObject([{ status: 'current', applied: [] }])
    expect(await ledgerOf(schema)).toEqual(before)

    const next = routerOf(prefix, await migrations.folder(MORE))
    const grown = await next.migrations.up({ select: select.tenants() })
    expect(grown.outcomes).toMatchObject([{ status: 'done', applied: ['4_fees.sql'] }])
    expect((await ledgerOf(schema)).slice(0, 4)).toEqual(before)
  })

  it('leaves a schema that postgres-migrations accepts and continues', async () => {
    const prefix = database.prefix()
    const folder = await migrations.folder(LOANS)
    const { schema } = await routerOf(prefix, folder).tenants.create({ slug: 'acme' })
    expect(await theirs(schema, folder)).toEqual([])
    expect(await theirs(schema, await migrations.folder(MORE))).toEqual(['fees'])
    const router = routerOf(prefix, await migrations.folder(MORE))
    const { outcomes } = await router.migrations.up({ select: select.tenants() })
    expect(outcomes).toMatchObject([{ status: 'current' }])
  })

  it('writes the same ledger as postgres-migrations', async () => {
    const prefix = database.prefix()
    const folder = await migrations.folder(LOANS)
    await database.admin.query(`create schema ${prefix}theirs`)
    await theirs(`${prefix}theirs`, folder)
    await routerOf(prefix, folder).tenants.create({ slug: 'ours' })
    const { rows } = await database.admin.query(
      `select id, name, hash from ${prefix}theirs.migrations
       except select id, name, hash from ${prefix}ours.migrations`,
    )
    expect(rows).toEqual([])
    const columns = await database.admin.query(
      `select count(*)::int as times, attname, atttypid, atttypmod, attnotnull, atthasdef
       from pg_attribute where attnum > 0
         and attrelid in ('${prefix}theirs.migrations'::regclass, '${prefix}ours.migrations'::regclass)
       group by 2, 3, 4, 5, 6`,
    )
    expect(columns.rows.map(({ times }) => times)).toEqual([2, 2, 2, 2])
  })

  it('loads files in the order of their ids, with their reverses', async () => {
    const folder = await migrations.folder({
      '10_ten.sql': 'select 10',
      ...Object.fromEntries(
        Array.from({ length: 9 }, (_, index) => [`${index + 1}_n${index}.sql`, `select ${index}`]),
      ),
      'down/10_ten.sql': 'select -10',
      'README.md': 'not a migration',
    })
    const loaded = await directory(folder).load()
    expect(loaded.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(loaded.at(-1)).toMatchObject({
      id: 10,
      name: 'ten',
      sql: 'select 10',
      down: 'select -10',
      file: `${folder}/10_ten.sql`,
    })
    expect(loaded[1]).not.toHaveProperty('down')
  })

  it('runs a migration that is generated by JavaScript', async () => {
    const folder = await migrations.folder({
      '1_many.js': `module.exports.generateSql = () => ['a', 'b'].map((n) => 'create table ' + n + ' ();').join('')`,
    })
    const prefix = database.prefix()
    const { schema } = await routerOf(prefix, folder).tenants.create({ slug: 'acme' })
    const { rows } = await database.admin.query('select to_regclass($1) is not null as made', [
      `${schema}.b`,
    ])
    expect(rows).toEqual([{ made: true }])
  })
})

describe('MigrationSource', () => {
  it('may be the service’s own, without the ledger’s table', async () => {
    const prefix = database.prefix()
    const source = {
      origin: 'the program',
      load: async () => [
        { id: 1, name: 'loans', fileName: 'loans', sql: 'create table loans ()', hash: 'v1' },
      ],
    }
    const schemas = {
      shared: { name: `shared_${prefix}` },
      tenants: { prefix, migrations: source },
    }
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.tenants.create({ slug: 'acme' })
    expect(await router.migrations.status({ select: select.tenants() })).toMatchObject([
      { version: 1, pending: [] },
    ])
  })
})
