import { SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { countStates } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { type FleetFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const OLD: FleetFiles = {
  main: { '1_plans.sql': 'create table plans ()' },
  tenants: { '1_loans.sql': 'create table loans ()', '2_fees.sql': 'create table fees ()' },
}
const NEW: FleetFiles = {
  shared: { '1_currencies.sql': 'create table currencies ()' },
  main: { ...OLD.main, '2_users.sql': 'create table users ()' },
  tenants: { ...OLD.tenants, '3_notes.sql': 'create table notes ()' },
}

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
  /** The fleet with the newer migrations, on a pool that can write nothing. */
  readonly reader: SchemaRouter
}

async function setUp(...slugs: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const schemas = await migrations.fleet(prefix, OLD)
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  for (const slug of slugs) await router.tenants.create({ slug })
  const pool = database.pool({ options: '-c default_transaction_read_only=on' })
  const reader = new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, NEW) })
  return { prefix, router, reader }
}

/** Everything that is in the database, by name. */
async function catalog(): Promise<unknown> {
  const { rows } = await database.admin.query(
    `select 'schema' as kind, nspname as name, xmin::text from pg_namespace
     union all select relkind::text, relname, xmin::text from pg_class order by 1, 2, 3`,
  )
  return rows
}

describe('migrations.status', () => {
  it('says which version each schema is on and what it still needs', async () => {
    const { prefix, router, reader } = await setUp('acme', 'beta')
    await router.migrations.up()
    expect(await reader.migrations.status()).toEqual([
      {
        schema: `shared_${prefix}`,
        kind: 'shared',
        exists: true,
        tampered: [],
        unknown: [],
        version: 0,
        applied: [],
        pending: ['1_currencies.sql'],
      },
      {
        schema: `main_${prefix}`,
        kind: 'static',
        exists: true,
        tampered: [],
        unknown: [],
        version: 1,
        applied: ['1_plans.sql'],
        pending: ['2_users.sql'],
      },
      {
        schema: `${prefix}acme`,
        kind: 'tenant',
        tenant: 'acme',
        exists: true,
        tampered: [],
        unknown: [],
        version: 2,
        applied: ['1_loans.sql', '2_fees.sql'],
        pending: ['3_notes.sql'],
      },
      {
        schema: `${prefix}beta`,
        kind: 'tenant',
        tenant: 'beta',
        exists: true,
        tampered: [],
        unknown: [],
        version: 2,
        applied: ['1_loans.sql', '2_fees.sql'],
        pending: ['3_notes.sql'],
      },
    ])
  })

  it('has nothing pending where everything ran', async () => {
    const { router } = await setUp('acme')
    await router.migrations.up()
    const pending = (await router.migrations.status()).map((status) => status.pending)
    expect(pending).toEqual([[], [], []])
  })

  it('says of a schema why it cannot be migrated as it is', async () => {
    const { prefix, reader } = await setUp('changed', 'foreign', 'gap', 'newer')
    await database.admin.query(
      `update ${prefix}changed.migrations set hash = 'another' where id = 1;
       alter table ${prefix}foreign.migrations drop column hash;
       delete from ${prefix}gap.migrations where id = 1;
       insert into ${prefix}newer.migrations (id, name, hash) values (9, 'later', 'x')`,
    )
    const statuses = await reader.migrations.status({ select: select.tenants(), deep: true })
    expect(statuses).toMatchObject([
      { tenant: 'changed', version: 2, pending: [], problem: { code: 'MIGRATION_TAMPERED' } },
      { tenant: 'foreign', version: 0, pending: [], problem: { code: 'MIGRATION_UNKNOWN' } },
      { tenant: 'gap', version: 2, pending: [], problem: { code: 'MIGRATION_OUT_OF_ORDER' } },
      { tenant: 'newer', version: 9, pending: [], problem: { code: 'MIGRATION_UNKNOWN' } },
    ])
  })

  it('says of a tenant that its schema is missing', async () => {
    const { prefix, reader } = await setUp('acme', 'beta')
    await database.admin.query(`drop schema ${prefix}acme cascade`)
    expect(await reader.migrations.status({ select: select.tenants() })).toMatchObject([
      { tenant: 'acme', exists: false, version: 0 },
      { tenant: 'beta', exists: true, version: 2 },
    ])
  })

  it('counts what a schema has had, and not what the ledger’s table is called', async () => {
    const { prefix, reader } = await setUp('acme')
    await database.admin.query(`drop table ${prefix}acme.migrations`)
    expect(await reader.migrations.status({ select: select.names('acme') })).toMatchObject([
      { version: 0, pending: ['1_loans.sql', '2_fees.sql', '3_notes.sql'] },
    ])
  })

  it('makes nothing in an empty database', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, NEW)
    const before = await catalog()
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    expect(await router.migrations.status()).toMatchObject([
      { schema: `shared_${prefix}`, exists: false, version: 0, pending: ['1_currencies.sql'] },
      { schema: `main_${prefix}`, exists: false, pending: ['1_plans.sql', '2_users.sql'] },
    ])
    expect(await catalog()).toEqual(before)
  })

  it('reads the state of hundreds of schemas in a few queries', async () => {
    const { prefix, router } = await setUp('first')
    const count = 250
    await database.admin.query(
      `do $$ begin for i in 1..${count} loop
         execute format('create schema %I', '${prefix}n' || i);
         execute format('create table %I.migrations as table ${prefix}first.migrations', '${prefix}n' || i);
       end loop; end $$`,
    )
    await database.admin.query(
      `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
       select 'n' || i, 'n', '${prefix}n' || i from generate_series(1, ${count}) i`,
    )
    const pool = database.pool()
    let acquired = 0
    pool.on('acquire', () => (acquired += 1))
    const counting = new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, OLD) })
    const statuses = await counting.migrations.status({ select: select.tenants() })
    expect(statuses).toHaveLength(count + 1)
    expect(statuses.filter(({ version, pending }) => version !== 2 || pending.length > 0)).toEqual(
      [],
    )
    expect(acquired).toBeLessThan(8)
    expect(await router.tenants.list()).toHaveLength(count + 1)
  })

  it('goes over more schemas than it holds at a time, in order and completely', async () => {
    const { prefix, router } = await setUp('first')
    const count = 620
    await database.admin.query(
      `do $$ begin for i in 1..${count} loop
         execute format('create schema %I', '${prefix}n' || i);
       end loop; end $$`,
    )
    await database.admin.query(
      `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
       select 'n' || i, 'n', '${prefix}n' || i from generate_series(1, ${count}) i`,
    )
    const pool = database.pool({ max: 1 })
    const asked = countStates(pool)
    const watched = new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, OLD) })
    const tenants = { select: select.tenants() }
    const seen: string[] = []
    for await (const { schema, exists } of watched.migrations.statuses(tenants)) {
      expect(exists).toBe(true)
      seen.push(schema)
      // The next part of the fleet is read only when this one has been taken.
      expect(asked).toHaveLength(seen.length > 500 ? 2 : 1)
    }
    expect(asked).toEqual([500, count + 1 - 500])
    expect(seen).toEqual(await router.whoWill(select.tenants()))
  })
})
