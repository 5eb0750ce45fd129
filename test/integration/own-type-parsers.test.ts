import { Kysely, Migrator, PostgresDialect, sql } from 'kysely'
import { SchemaRouter, type SchemaRouterOptions, select } from 'tenantry'
import { code, directory, kyselyBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { lockKey, tryLockSession } from '../../src/postgres/advisory-lock.js'
import { openTransaction } from '../../src/postgres/open-transaction.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const folders = useMigrationFolders()

/** A service whose pool leaves every value as the text that the server has sent. */
function open(tenants: NonNullable<SchemaRouterOptions['schemas']>['tenants'], prefix: string) {
  const types = { getTypeParser: () => (value: string) => value }
  const pool = database.pool({ types, max: 3 })
  const shared = { name: `shared_${prefix}` }
  const router = new SchemaRouter({ pool, schemas: { shared, tenants: { ...tenants, prefix } } })
  return { pool, router }
}

const LOANS = 'create table loans (id int primary key, at timestamptz default now());'

describe('a pool whose type parsers leave everything as text', () => {
  it('creates, migrates and looks up tenants', async () => {
    const prefix = database.prefix()
    const first = { '1_loans.sql': LOANS }
    const { router } = open({ migrations: directory(await folders.folder(first)) }, prefix)
    await router.migrations.up()
    const made = await router.tenants.create({
      slug: 'acme',
      metadata: { plan: 'gold' },
      domains: ['acme.example'],
    })
    expect(made.metadata).toEqual({ plan: 'gold' })
    expect(made.createdAt.getTime()).toBeGreaterThan(Date.now() - 600_000)
    const files = {
      ...first,
      '2_index.sql': 'create index concurrently loans_at on loans (at);',
      '3_fees.sql': 'create table fees ();',
    }
    const later = open({ migrations: directory(await folders.folder(files)) }, prefix).router
    const gold = select.tenants({ metadata: { plan: 'gold' } })
    const { outcomes } = await later.migrations.up({ select: gold })
    expect(outcomes.map(({ applied }) => applied)).toEqual([['2_index.sql', '3_fees.sql']])
    expect(await later.migrations.status({ deep: true, select: gold })).toMatchObject([
      { version: 3, pending: [], unknown: [], tampered: [] },
    ])
    expect(await later.resolve({ headers: { host: 'acme.example' } })).toMatchObject({
      tenant: { slug: 'acme' },
    })
    expect(await later.tenants.domains.list('acme')).toEqual([
      { tenant: 'acme', host: 'acme.example', path: '', primary: true, verified: true },
    ])
  })

  it('runs and takes back migrations in code', async () => {
    const prefix = database.prefix()
    const migrations = code([
      {
        name: 'loans',
        up: (db) => db.query(LOANS),
        down: (db) => db.query('drop table loans'),
      },
    ])
    const { router } = open({ migrations }, prefix)
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    const tenants = { select: select.tenants() }
    const down = await router.migrations.down(tenants)
    expect(down.outcomes).toMatchObject([{ status: 'done', attempts: 1 }])
    const up = await router.migrations.up(tenants)
    expect(up.outcomes).toMatchObject([{ status: 'done', attempts: 1 }])
  })

  it('runs the migrations of another tool', async () => {
    const prefix = database.prefix()
    const provider = {
      getMigrations: async () => ({
        loans: { up: async (db: Kysely<unknown>) => void (await sql.raw(LOANS).execute(db)) },
      }),
    }
    const migrations = kyselyBridge(({ pool, schema }) => {
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
      return new Migrator({ db, provider, migrationTableSchema: schema })
    })
    const { router } = open({ migrations }, prefix)
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    const { outcomes } = await router.migrations.up({ select: select.tenants() })
    expect(outcomes).toMatchObject([{ status: 'current', attempts: 1 }])
    const [status] = await router.migrations.status({ select: select.tenants() })
    expect(status).toMatchObject({ pending: [] })
    expect(status).not.toHaveProperty('problem')
  })

  it('clones and purges tenants', async () => {
    const prefix = database.prefix()
    const files = {
      '1_loans.sql': `${LOANS} create table log (what text);
        create function note() returns trigger language plpgsql as
          $$ begin insert into log values (tg_table_name); return new; end $$;
        create trigger noted after insert on loans for each row execute function note();
        create table events (id int) partition by range (id);
        create table events_1 partition of events for values from (0) to (10);`,
    }
    const { router } = open({ migrations: directory(await folders.folder(files)) }, prefix)
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    await database.admin.query(
      `set search_path = ${prefix}acme; insert into loans values (1); insert into events values (5);
       reset search_path`,
    )
    await router.tenants.clone('acme', { slug: 'copy' })
    const { rows } = await database.admin.query(
      `select (select count(*)::int from ${prefix}copy.events) as events,
         (select count(*)::int from ${prefix}copy.log) as log,
         (select tgenabled from pg_trigger where tgrelid = '${prefix}copy.loans'::regclass) as noted`,
    )
    expect(rows).toEqual([{ events: 1, log: 1, noted: 'O' }])
    await router.tenants.delete('copy')
    await router.tenants.purge('copy', { confirm: 'copy' })
    expect(await router.tenants.list()).toMatchObject([{ slug: 'acme' }])
  })

  it('sees a lock that another session has', async () => {
    const { pool } = open({}, database.prefix())
    const key = lockKey('seen')
    const [one, other] = await Promise.all([pool.connect(), pool.connect()])
    try {
      await one.query('select pg_advisory_lock($1)', [key])
      expect(await tryLockSession(openTransaction(other), key)).toBe(false)
      await one.query('select pg_advisory_unlock_all()')
      expect(await tryLockSession(openTransaction(other), key)).toBe(true)
      await other.query('select pg_advisory_unlock_all()')
    } finally {
      one.release()
      other.release()
    }
  })
})
