import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import knex from 'knex'
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely'
import { runner } from 'node-pg-migrate'
import { SchemaRouter, isTenantryError } from 'tenantry'
import {
  type BridgeTarget,
  type MigrationBridge,
  drizzleBridge,
  knexBridge,
  kyselyBridge,
  nodePgMigrateBridge,
  umzugBridge,
  umzugStorage,
} from 'tenantry/migrate'
import { Umzug } from 'umzug'
import { describe, expect, it } from 'vitest'
import { runBridge } from '../../src/migration/bridges/run-bridge.js'
import { parsePrefix, parseSchemaName } from '../../src/names/schema-name.js'
import { LeasePool } from '../../src/postgres/lease-pool.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = 'create table loans (id int primary key)'
const FEES = 'create table fees (loan int references loans)'

/** A tool that creates `loans` in its first migration and `fees` in its second. */
interface Tool {
  readonly names: readonly string[]
  /** The tables in which the tool keeps its books. */
  readonly books: readonly string[]
  /** The bridge with the given statement as a third migration, or without one. */
  bridge(third?: string): Promise<MigrationBridge>
}

const kysely: Tool = {
  names: ['1_loans', '2_fees', '3_more'],
  books: ['kysely_migration', 'kysely_migration_lock'],
  bridge: async (third) => {
    const step = (text: string) => ({
      up: async (db: Kysely<unknown>) => {
        await sql.raw(text).execute(db)
      },
      down: async (db: Kysely<unknown>) => {
        await sql.raw('drop table fees').execute(db)
      },
    })
    const set = { '1_loans': step(LOANS), '2_fees': step(FEES) }
    const provider = {
      getMigrations: async () => (third === undefined ? set : { ...set, '3_more': step(third) }),
    }
    return kyselyBridge(({ pool, schema }) => {
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
      return new Migrator({ db, provider, migrationTableSchema: schema })
    })
  },
}

const knexTool: Tool = {
  names: ['1_loans', '2_fees', '3_more'],
  books: ['knex_migrations', 'knex_migrations_lock'],
  bridge: async (third) => {
    const texts: Readonly<Record<string, string | undefined>> = {
      '1_loans': LOANS,
      '2_fees': FEES,
      '3_more': third,
    }
    const migrationSource = {
      getMigrations: async () => Object.keys(texts).filter((name) => texts[name] !== undefined),
      getMigrationName: (name: string) => name,
      getMigration: async (name: string) => ({
        up: (db: knex.Knex) => db.raw(texts[name] ?? ''),
        down: (db: knex.Knex) => db.raw('drop table fees'),
      }),
    }
    return knexBridge(() =>
      knex({ client: 'pg', migrations: { migrationSource }, log: { warn: () => {} } }),
    )
  },
}

const umzug: Tool = {
  names: ['1_loans', '2_fees', '3_more'],
  books: ['umzug_migrations'],
  bridge: async (third) =>
    umzugBridge((target: BridgeTarget) => {
      const step = (name: string, text: string) => ({
        name,
        up: () => target.client.query(text),
        down: () => target.client.query('drop table fees'),
      })
      const steps = [step('1_loans', LOANS), step('2_fees', FEES)]
      return new Umzug({
        context: target.client,
        storage: umzugStorage(target),
        migrations: third === undefined ? steps : [...steps, step('3_more', third)],
        logger: undefined,
      })
    }),
}

const nodePgMigrate: Tool = {
  names: ['1_loans', '2_fees', '3_more'],
  books: ['pgmigrations'],
  bridge: async (third) => {
    const dir = await migrations.folder({
      '1_loans.sql': `-- Up Migration\n${LOANS};\n`,
      '2_fees.sql': `-- Up Migration\n${FEES};\n-- Down Migration\ndrop table fees;\n`,
      ...(third !== undefined && { '3_more.sql': `-- Up Migration\n${third};\n` }),
    })
    return nodePgMigrateBridge((settings) =>
      runner({ dir, migrationsTable: 'pgmigrations', ...settings }),
    )
  },
}

const drizzleTool: Tool = {
  names: ['0000_loans', '0001_fees', '0002_more'],
  books: ['__drizzle_migrations'],
  bridge: async (third) => {
    const entries = drizzleTool.names
      .slice(0, third === undefined ? 2 : 3)
      .map((tag, idx) => ({ idx, version: '7', when: 1000 + idx, tag, breakpoints: true }))
    const migrationsFolder = await migrations.folder({
      '0000_loans.sql': `${LOANS};--> statement-breakpoint\ncreate index on loans (id);`,
      '0001_fees.sql': FEES,
      '0002_more.sql': third ?? '',
      'meta/_journal.json': JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    })
    return drizzleBridge({ migrationsFolder }, ({ client }, settings) =>
      migrate(drizzle(client), settings),
    )
  },
}

const tools = {
  kysely,
  knex: knexTool,
  umzug,
  'node-pg-migrate': nodePgMigrate,
  drizzle: drizzleTool,
}

interface Fleet {
  readonly router: SchemaRouter
  readonly prefix: string
  /** The same fleet with another bridge, or with none. */
  withBridge(bridge?: MigrationBridge): SchemaRouter
}

/** Two tenants that nothing has migrated yet. */
async function twoTenants(bridge: MigrationBridge): Promise<Fleet> {
  const prefix = database.prefix()
  const pool = database.pool({ max: 4 })
  const withBridge = (given?: MigrationBridge): SchemaRouter =>
    new SchemaRouter({
      pool,
      schemas: {
        shared: { name: `shared_${prefix}` },
        tenants: { prefix, ...(given && { migrations: given }) },
      },
    })
  const plain = withBridge()
  for (const slug of ['acme', 'beta']) await plain.tenants.create({ slug })
  return { router: withBridge(bridge), prefix, withBridge }
}

/** The tables of the schemas that begin with a prefix, and whatever is in `public` and elsewhere. */
async function tablesOutsideOf(...apart: readonly string[]): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') and schemaname <> all ($1)`,
    [apart],
  )
  return rows.map(({ name }) => name)
}

async function tablesOf(schema: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ tablename: string }>(
    'select tablename from pg_tables where schemaname = $1',
    [schema],
  )
  return rows.map(({ tablename }) => tablename).toSorted()
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe.each(Object.entries(tools))('migrations.up with %s', (_name, tool) => {
  const two = tool.names.slice(0, 2)
  const whole = [...tool.books, 'fees', 'loans'].toSorted()

  it('migrates two schemas at once, each with its own tables and books, and nothing else', async () => {
    const { router, prefix } = await twoTenants(await tool.bridge())
    const [acme, beta] = [`${prefix}acme`, `${prefix}beta`]
    const before = await tablesOutsideOf(acme, beta)
    const { outcomes } = await router.migrations.up({ concurrency: 2 })
    expect(outcomes.slice(1)).toMatchObject([
      { schema: acme, status: 'done', applied: two },
      { schema: beta, status: 'done', applied: two },
    ])
    expect(await tablesOf(acme)).toEqual(whole)
    expect(await tablesOf(beta)).toEqual(whole)
    expect(await tablesOutsideOf(acme, beta)).toEqual(before)
  })

  it('does nothing the second time', async () => {
    const { router } = await twoTenants(await tool.bridge())
    await router.migrations.up()
    const { outcomes } = await router.migrations.up({ concurrency: 2 })
    expect(outcomes.slice(1)).toMatchObject([
      { status: 'current', applied: [] },
      { status: 'current', applied: [] },
    ])
  })

  it('runs what is new in a schema that has had the rest', async () => {
    const { router, withBridge } = await twoTenants(await tool.bridge())
    await router.migrations.up()
    const next = withBridge(await tool.bridge('create table notes ()'))
    const { outcomes } = await next.migrations.up()
    expect(outcomes[1]).toMatchObject({ status: 'done', applied: tool.names.slice(2) })
  })

  it('says what is pending and changes nothing for that', async () => {
    const { router, prefix } = await twoTenants(await tool.bridge())
    const [, acme] = await router.migrations.status()
    expect(acme).toMatchObject({ tenant: 'acme', exists: true, version: 0, pending: two })
    expect(acme).not.toHaveProperty('problem')
    expect(await tablesOf(`${prefix}acme`)).toEqual([])
    await router.migrations.up()
    expect((await router.migrations.status()).map(({ pending }) => pending)).toEqual([[], [], []])
  })

  it('reports the server’s error of a migration that fails', async () => {
    const { router, prefix } = await twoTenants(await tool.bridge('select * from nowhere'))
    const error = await thrownBy(router.migrations.up())
    if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
    expect(error.report).toMatchObject({
      outcomes: [
        { status: 'current' },
        {
          status: 'failed',
          error: { code: 'MIGRATION_FAILED', schema: `${prefix}acme`, sqlState: '42P01' },
        },
        { status: 'failed' },
      ],
    })
  })

  it('creates a tenant with all of its migrations, or not at all', async () => {
    const { router, prefix, withBridge } = await twoTenants(await tool.bridge())
    await router.tenants.create({
      slug: 'gamma',
      domains: [`gamma.${prefix}example.com`.replaceAll('_', '')],
    })
    expect(await tablesOf(`${prefix}gamma`)).toEqual(whole)
    const broken = withBridge(await tool.bridge('select * from nowhere'))
    expect(await thrownBy(broken.tenants.create({ slug: 'delta' }))).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}delta`,
    })
    expect(await broken.tenants.find('delta')).toBeUndefined()
    const { rows } = await database.admin.query('select to_regnamespace($1) as found', [
      `${prefix}delta`,
    ])
    expect(rows).toEqual([{ found: null }])
  })
})

/** Takes the newest step of a tenant back, as a command that goes down does. */
function takeBack(prefix: string, bridge: MigrationBridge): Promise<readonly string[]> {
  const { database: db } = new LeasePool(database.pool({ max: 1 }), {
    naming: { prepare: false, maxStatements: 1 },
    maxSchemas: 1,
    acquireTimeoutMs: 10_000,
    poolerKeepsSession: false,
  })
  return runBridge(db, {
    layout: {
      shared: { schema: parseSchemaName(`shared_${prefix}`), source: undefined },
      static: new Map(),
      tenants: { prefix: parsePrefix(prefix), source: bridge, extras: [] },
    },
    bridge,
    schema: { schema: parseSchemaName(`${prefix}acme`), kind: 'tenant' },
    task: 'down',
  })
}

describe('the way down', () => {
  it.each(Object.entries(tools).filter(([name]) => name !== 'drizzle'))(
    'takes the newest migration of %s back, in one schema only',
    async (_name, tool) => {
      const bridge = await tool.bridge()
      const { router, prefix } = await twoTenants(bridge)
      await router.migrations.up()
      expect(await takeBack(prefix, bridge)).toEqual(['2_fees'])
      expect(await tablesOf(`${prefix}acme`)).not.toContain('fees')
      expect(await tablesOf(`${prefix}beta`)).toContain('fees')
      const [, acme] = await router.migrations.status()
      expect(acme?.pending).toEqual(['2_fees'])
    },
  )

  it('is refused for drizzle, which has none', async () => {
    const bridge = await drizzleTool.bridge()
    const { prefix } = await twoTenants(bridge)
    await expect(takeBack(prefix, bridge)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'migrations',
    })
  })
})
