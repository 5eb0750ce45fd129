import { describe, expect, it } from 'vitest'
import { AWKWARD } from '../integration/awkward-schema.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { type Fleet, openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()

/** What a copy can stumble over: keys in a cycle, own types, what acts on inserts, partitions. */
const TRICKY: MigrationFiles = {
  '1_tables.sql': `
    create type mood as enum ('good', 'bad');
    create domain amount as numeric check (value > 0);
    create type place as (street text, mood mood);
    create table b (id int generated always as identity primary key, a int);
    create table a (id serial primary key, b int not null references b, moods mood[] not null,
      amount amount, home place, parent int references a,
      twice int generated always as (id * 2) stored);
    alter table b add constraint b_a foreign key (a) references a;
    comment on constraint b_a on b is 'closes the cycle';
    create table log (what text);
    create function note() returns trigger language plpgsql as
      $$ begin insert into log values (tg_table_name); return new; end $$;
    create trigger noted after insert on a for each row execute function note();
    create trigger off after insert on b for each row execute function note();
    alter table b disable trigger off;
    create trigger always_on after insert on b for each row execute function note();
    alter table b enable always trigger always_on;
    create rule quiet as on insert to log where new.what = 'b' do instead nothing;
    create table events (id int, at date) partition by range (at);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    create table base (id int);
    create table heir (more int) inherits (base);
    create table seeds (id int primary key);
    insert into seeds values (1), (2);
    create materialized view totals as select count(*) as n from a;
    create table nothing ();`,
}

const FILL = `
  set search_path = NAME, pg_temp;
  insert into b (a) values (null), (null);
  insert into a (b, moods, amount, home, parent) values
    (1, '{good,bad}', 5, row('Main St', 'bad'), null), (2, '{}', null, null, 1);
  update b set a = id;
  insert into events values (1, '2026-05-05');
  insert into base values (1); insert into heir values (2, 3);
  delete from seeds where id = 2;
  insert into nothing default values;
  refresh materialized view totals;
  reset search_path;`

async function setUp(tenants = TRICKY, fill = FILL): Promise<Fleet> {
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme', metadata: { plan: 'gold' } })
  await database.admin.query(fill.replaceAll('NAME', `${fleet.prefix}acme`))
  return fleet
}

async function rowsOf({ prefix }: Fleet, slug: string, text: string): Promise<unknown> {
  const { rows } = await database.admin.query(text.replaceAll('NAME', prefix + slug))
  return rows
}

const TABLES = ['a', 'b', 'log', 'events', 'only NAME.base', 'heir', 'seeds', 'totals']

describe('tenants.clone', () => {
  it('copies the rows of every table, and nothing acts on them', async () => {
    const fleet = await setUp()
    const { router, prefix } = fleet
    expect(await router.tenants.clone('acme', { slug: 'twin' })).toMatchObject({
      slug: 'twin',
      schema: `${prefix}twin`,
      status: 'active',
      metadata: {},
    })
    for (const table of TABLES) {
      const text = `select to_jsonb(t)::text as row from ${
        table.startsWith('only') ? table : `NAME.${table}`
      } t order by 1`
      expect(await rowsOf(fleet, 'twin', text)).toEqual(await rowsOf(fleet, 'acme', text))
    }
    expect(await fleet.one(`select count(*)::int from ${prefix}twin.nothing`)).toBe(1)
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('goes on where identities and sequences of the source are', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.clone('acme', { slug: 'twin' })
    const ids = await fleet.router.withTenant('twin', async (db) => [
      (await db.query('insert into b default values returning id')).rows,
      (await db.query(`insert into a (b, moods) values (1, '{}') returning id`)).rows,
    ])
    expect(ids).toEqual([[{ id: 3 }], [{ id: 3 }]])
    const log = await rowsOf(fleet, 'twin', 'select what from NAME.log order by 1')
    expect(log).toEqual([{ what: 'a' }, { what: 'a' }, { what: 'a' }])
  })

  it('copies the structure alone, with what migrations put in', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.clone('acme', { slug: 'twin' }, { data: false })
    expect(await rowsOf(fleet, 'twin', 'select id from NAME.seeds order by 1')).toEqual([
      { id: 1 },
      { id: 2 },
    ])
    expect(await rowsOf(fleet, 'twin', 'select id from NAME.a')).toEqual([])
  })

  it('copies the tables that are named, and leaves the others', async () => {
    const fleet = await setUp()
    await fleet.router.tenants.clone('acme', { slug: 'twin' }, { data: ['seeds', 'events'] })
    expect(await rowsOf(fleet, 'twin', 'select id from NAME.seeds')).toEqual([{ id: 1 }])
    expect(await rowsOf(fleet, 'twin', 'select id from NAME.events')).toEqual([{ id: 1 }])
    expect(await rowsOf(fleet, 'twin', 'select id from NAME.a')).toEqual([])
  })

  it('refuses a table that does not exist, and makes nothing', async () => {
    const fleet = await setUp()
    const cloning = fleet.router.tenants.clone('acme', { slug: 'twin' }, { data: ['lons'] })
    await expect(cloning).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'data' })
    expect(await fleet.schemaExists(`${fleet.prefix}twin`)).toBe(false)
    expect(await fleet.router.tenants.find('twin')).toBeUndefined()
  })

  it('stays at the version of the source', async () => {
    const { prefix } = await setUp()
    const { SchemaRouter } = await import('tenantry')
    const files = { ...TRICKY, '2_more.sql': 'create table more ()' }
    const schemas = await migrations.fleet(prefix, { tenants: files })
    const newer = new SchemaRouter({ pool: database.pool(), schemas })
    await newer.tenants.clone('acme', { slug: 'twin' })
    const statuses = await newer.migrations.status()
    expect(statuses.slice(2).map(({ pending }) => pending)).toEqual([
      ['2_more.sql'],
      ['2_more.sql'],
    ])
  })

  it('refuses a source that is not what its migrations make, and makes nothing', async () => {
    const fleet = await setUp()
    await database.admin.query(`alter table ${fleet.prefix}acme.seeds add by_hand int`)
    await expect(fleet.router.tenants.clone('acme', { slug: 'twin' })).rejects.toMatchObject({
      code: 'CLONE_DIFFERS',
      schema: `${fleet.prefix}acme`,
      candidates: [expect.stringContaining('by_hand')],
    })
    expect(await fleet.schemaExists(`${fleet.prefix}twin`)).toBe(false)
  })

  it('compares the rows, refuses a copy that came out different, and makes nothing', async () => {
    const dice: MigrationFiles = {
      '1_dice.sql': `create function throw() returns float language sql immutable
          as 'select random()';
        create table fair (id int);
        create table dice (id int, thrown float generated always as (throw()) stored);`,
    }
    const fleet = await setUp(
      dice,
      'insert into NAME.dice (id) values (1), (2); insert into NAME.fair values (1)',
    )
    await expect(fleet.router.tenants.clone('acme', { slug: 'twin' })).rejects.toMatchObject({
      code: 'CLONE_DIFFERS',
      candidates: ['table dice'],
    })
    expect(await fleet.schemaExists(`${fleet.prefix}twin`)).toBe(false)
    expect(await fleet.router.tenants.find('twin')).toBeUndefined()
  })

  it('copies values of the type regclass unchanged, so that they go on naming the source', async () => {
    const fleet = await setUp(
      { '1_notes.sql': 'create table notes (id int, about regclass)' },
      `insert into NAME.notes values (1, 'NAME.notes')`,
    )
    await fleet.router.tenants.clone('acme', { slug: 'twin' })
    const { prefix } = fleet
    expect(await fleet.one(`select about::text from ${prefix}twin.notes`)).toBe(
      `${prefix}acme.notes`,
    )
  })

  it.each([
    ['nobody', 'TENANT_NOT_FOUND'],
    ['gone', 'TENANT_STATUS'],
  ])('refuses the source %s', async (slug, code) => {
    const { router } = await setUp()
    await router.tenants.create({ slug: 'gone' })
    await router.tenants.delete('gone')
    await expect(router.tenants.clone(slug, { slug: 'twin' })).rejects.toMatchObject({ code })
  })

  it('copies what is awkward in catalogs', async () => {
    const { router } = await setUp(
      AWKWARD,
      `insert into NAME.loans (amount, tags, home, note) values (5, '{x}', row('Main', 3), 'n');
       insert into NAME.events values (1, '2026-02-02'), (2, '2030-01-01');`,
    )
    await router.tenants.clone('acme', { slug: 'twin' })
    const { rows } = await router.withTenant('twin', (db) =>
      db.query('select id, twice, home from loans'),
    )
    expect(rows).toEqual([{ id: '100', twice: '2', home: '(Main,3)' }])
    expect((await router.migrations.verify()).findings).toEqual([])
  })
})
