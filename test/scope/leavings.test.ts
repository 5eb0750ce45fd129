import type { EventEmitter } from 'node:events'
import type { Pool, PoolClient } from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useFleet } from '../support/lenders.js'
import { BY_CLIENT, BY_POOL, BY_SCOPE, type Db, WAYS, type Way } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

type Act = (db: Db) => Promise<unknown>

const HIDING = `
  create or replace function public.hide_table() returns void language plpgsql as $$
  begin
    execute 'create te' || 'mp table notes (id int, body text)';
    execute 'create te' || 'mp table spare (body text)';
    execute 'insert into pg_te' || 'mp.notes values (1, ''temporary'')';
  end $$;
  create or replace function public.hide_path() returns void language sql as $$
    select set_config('search_path', 'pg_catalog', false)
  $$;`

beforeAll(async () => {
  await database.admin.query(HIDING)
})

afterAll(async () => {
  await database.admin.query('drop function public.hide_table, public.hide_path')
})

/** What a scope could leave behind, each by what a caller may well write. */
const LEAVINGS: Readonly<Record<string, Act>> = {
  'a temporary table': (db) => db.query('create temp table spare (body text)'),
  'a temporary table of a query': (db) => db.query(`select 'x' as body into temp spare`),
  'a temporary table as of old': (db) => db.query('create local temporary table spare (body text)'),
  'a temporary view': (db) => db.query('create or replace temp view spare as select 1'),
  'a temporary table by its schema': (db) => db.query('create table pg_temp.spare (body text)'),
  'a temporary table behind a comment': (db) =>
    db.query('create /* a */ temp -- b\n table spare (body text)'),
  'a temporary table among other statements': (db) =>
    db.query('select 1; create temp table spare (body text); select 2'),
  'a temporary table in front of the tenant’s own': (db) =>
    db.query(
      `create temp table notes (id int, body text); insert into pg_temp.notes values (1, 'x')`,
    ),
  'a temporary table of a block of code': (db) =>
    db.query(`do $$ begin create temp table spare (body text); end $$`),
  'a temporary table that nobody sees': (db) => db.query('select hide_table()'),
  'a setting': (db) => db.query(`set statement_timeout = '7s'`),
  'a setting of the session': (db) => db.query(`SET SESSION statement_timeout TO '7s'`),
  'a setting behind a comment': (db) => db.query(`/* set local */ set statement_timeout = '7s'`),
  'a setting among other statements': (db) =>
    db.query(`select 1; set statement_timeout = '7s'; select 2`),
  'a setting beside a local one': (db) =>
    db.query(`set local lock_timeout = '1s'; set statement_timeout = '7s'`),
  'a time zone': (db) => db.query(`set time zone 'Pacific/Apia'`),
  'a role': (db) => db.query('set role pg_monitor'),
  'a session authorization': (db) => db.query('set session authorization pg_monitor'),
  'session characteristics': (db) =>
    db.query('set session characteristics as transaction read only'),
  'a path': (db) => db.query('set search_path to pg_catalog'),
  'a path that nobody sees': (db) => db.query('select hide_path()'),
  'a setting by a function': (db) => db.query(`select set_config('app.left', 'x', false)`),
  'a setting by a function, with spaces': (db) =>
    db.query(`select pg_catalog . set_config ('app.left', 'x', f\u0061lse)`),
  'a setting by a function with values': (db) =>
    db.query('select set_config($1, $2, $3)', ['app.left', 'x', false]),
  'a setting by a function beside a local one': (db) =>
    db.query(`select set_config('app.other', 'x', true), set_config('app.left', 'x', false)`),
  'a setting by a function that looks local': (db) =>
    db.query(`select set_config('app.left', ', true)', false)`),
  'a setting by an update': (db) =>
    db.query(`update pg_settings set setting = '7000' where name = 'statement_timeout'`),
  'a setting read by a cursor that is closed early': async (db) => {
    const text = `select set_config('app.left', 'x', false) from generate_series(1, 10)`
    const cursor = db.query(new Cursor(text))
    await cursor.read(1)
    await cursor.close()
  },
  'a setting read by a stream': (db) =>
    db.query(new QueryStream(`select set_config('app.left', 'x', false)`)).toArray(),
  'a channel': (db) => db.query('listen news'),
  'a lock': (db) => db.query('select pg_advisory_lock(7)'),
  'a lock that is shared': (db) => db.query('select pg_advisory_lock_shared(7)'),
  'a lock that was tried': (db) => db.query('select pg_try_advisory_lock(7, 8)'),
  'a lock of a statement that failed': (db) =>
    db.query('select pg_advisory_lock(7), 1 / (id - 1) from notes').catch(() => {}),
  'a prepared statement': (db) => db.query('prepare spare as select 1'),
  'a cursor that outlives its transaction': (db) =>
    db.query('begin; declare spare cursor with hold for select body from notes; commit'),
}

interface State {
  readonly [fact: string]: unknown
}

/** All that one user of a connection could notice of the one before. */
const STATE = `
  select current_setting('search_path') as path, current_setting('statement_timeout') as timeout,
         current_setting('TimeZone') as zone, current_setting('default_transaction_read_only') as "readOnly",
         coalesce(current_setting('app.left', true), '') as "left", current_user as user, session_user as "sessionUser",
         (select count(*)::int from pg_listening_channels()) as channels,
         (select count(*)::int from pg_prepared_statements where name !~ '^tenantry_') as prepared,
         (select count(*)::int from pg_cursors where name <> '') as cursors,
         (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
         (select count(*)::int from pg_class where relname in ('notes', 'spare')
            and pg_table_is_visible(oid) and relnamespace = pg_my_temp_schema()) as temporary`

async function stateOf(db: Db): Promise<State | undefined> {
  return (await db.query<State>(STATE)).rows[0]
}

describe.each([BY_SCOPE, BY_CLIENT])('what a scope leaves through $name', (way: Way) => {
  it.each(Object.entries(LEAVINGS))('never reaches the next tenant: %s', async (_, act) => {
    const made = given()
    const fresh = await way.run(made, made.beta, stateOf)
    await way.run(made, made.acme, act)
    expect(await way.run(made, made.beta, stateOf)).toEqual(fresh)
    const spare = way.run(made, made.beta, (db) => db.query('table spare'))
    await expect(spare).rejects.toMatchObject({ code: '42P01' })
    const { rows } = await way.run(made, made.beta, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: made.beta.schema }])
  })

  it.each(Object.entries(LEAVINGS))(
    'never reaches the next scope of its tenant: %s',
    async (_, act) => {
      const made = given()
      const fresh = await way.run(made, made.acme, stateOf)
      await way.run(made, made.acme, act)
      expect(await way.run(made, made.acme, stateOf)).toEqual(fresh)
    },
  )

  it.each(Object.entries(LEAVINGS).filter(([name]) => !name.includes('nobody sees')))(
    'never reaches unscoped use of the pool: %s',
    async (_, act) => {
      const made = given()
      const fresh = await stateOf(made.pool)
      await way.run(made, made.acme, act)
      expect(await stateOf(made.pool)).toEqual(fresh)
    },
  )
})

describe('what a query of router.pool leaves', () => {
  it.each(Object.entries(LEAVINGS))('never reaches the next one: %s', async (_, act) => {
    const made = given()
    const fresh = await BY_POOL.run(made, made.beta, stateOf)
    await BY_POOL.run(made, made.acme, act)
    expect(await BY_POOL.run(made, made.beta, stateOf)).toEqual(fresh)
  })
})

describe('within one scope', () => {
  it('a temporary table is there for the statements that follow', async () => {
    const made = given()
    const rows = await BY_SCOPE.run(made, made.acme, async (db) => {
      await db.query(`create temp table spare as select 'own' as body`)
      return (await db.query('table spare')).rows
    })
    expect(rows).toEqual([{ body: 'own' }])
  })

  it('a temporary table does not stand in front of the tenant’s own', async () => {
    const made = given()
    const rows = await BY_SCOPE.run(made, made.acme, async (db) => {
      await db.query(`create temp table notes as select 1 as id, 'temporary' as body`)
      return (await db.query('select body from notes')).rows
    })
    expect(rows).toEqual([{ body: made.acme.schema }])
  })

  it('a hidden temporary table is there although the client had one before', async () => {
    const made = given()
    await BY_SCOPE.run(made, made.acme, (db) => db.query('select hide_table()'))
    const rows = await BY_SCOPE.run(made, made.beta, async (db) => {
      await db.query('select hide_table()')
      return (await db.query('select body from pg_temp.notes')).rows
    })
    expect(rows).toEqual([{ body: 'temporary' }])
  })

  it.each([
    ['by text', {}],
    ['of the scope', { transaction: true }],
  ])(
    'a transaction %s begins well on a client with hidden temporary tables',
    async (_, options) => {
      const made = given()
      await BY_SCOPE.run(made, made.acme, (db) => db.query('select hide_table()'))
      await made.router.withTenant(
        made.beta.slug,
        async (db) => {
          if (!('transaction' in options)) {
            await db.query('begin')
            await db.query('set transaction isolation level serializable')
          }
          const { rows } = await db.query('select body from notes')
          expect(rows).toEqual([{ body: made.beta.schema }])
          await db.query(`insert into notes (body) values ('kept')`)
          if (!('transaction' in options)) await db.query('commit')
        },
        options,
      )
      const { rows } = await BY_SCOPE.run(made, made.beta, (db) => db.query('table notes'))
      expect(rows).toHaveLength(2)
    },
  )

  it.each([
    ['several statements', (db: Db) => db.query('select 1; select body from notes')],
    ['a cursor', (db: Db) => db.query(new Cursor('select body from notes')).read(10)],
    ['a block of code', (db: Db) => db.query('do $$ begin perform * from notes; end $$')],
    ['a name', (db: Db) => db.query({ name: 'n', text: 'select body from notes' })],
  ])('%s begin well on a client with hidden temporary tables', async (_, act) => {
    const made = given()
    await BY_SCOPE.run(made, made.acme, (db) => db.query('select hide_table()'))
    const rows = await BY_POOL.run(made, made.beta, async (db) => {
      await act(db)
      return (await db.query('select body from notes')).rows
    })
    expect(rows).toEqual([{ body: made.beta.schema }])
  })

  it('a setting is there for the statements that follow', async () => {
    const made = given()
    const shown = await BY_SCOPE.run(made, made.acme, async (db) => {
      await db.query(`set statement_timeout = '7s'`)
      return (await db.query('show statement_timeout')).rows
    })
    expect(shown).toEqual([{ statement_timeout: '7s' }])
  })
})

/** Nothing is left by these, however they look. */
const HARMLESS: Readonly<Record<string, Act>> = {
  'an update': (db) => db.query(`update notes set body = 'set timezone' where false`),
  'an upsert': (db) =>
    db.query(
      `insert into notes (id, body) values (1, 'x') on conflict (id) do update set body = 'set'`,
    ),
  'a column named temp': (db) => db.query('select 1 as temp, 2 as temporary'),
  'a table named temp': (db) => db.query('create table if not exists temp (temp int)'),
  'a local setting': (db) => db.query(`set local statement_timeout = '7s'`),
  'a local setting of a transaction': (db) =>
    db.query(`begin; set local statement_timeout = '7s'; commit`),
  'a local setting by a function': (db) => db.query(`select set_config('app.left', 'b', true)`),
  'two local settings by a function': (db) =>
    db.query(`select set_config('app.left', 'b', true), set_config('app.b', 'it''s', 'true')`),
  'the options of a transaction': (db) => db.query('begin; set transaction read only; commit'),
  'deferred constraints': (db) => db.query('begin; set constraints all deferred; commit'),
  'a lock of a transaction': (db) => db.query('select pg_advisory_xact_lock(7)'),
  'a cursor of a transaction': (db) =>
    db.query('begin; declare spare cursor for select 1; fetch spare; commit'),
  'a prepared word': (db) => db.query(`select 'prepare', 'listen', 'discard'`),
  'a notification': (db) => db.query(`notify news, 'hello'`),
  'a mistake': (db) => db.query('select nothing from notes').catch(() => {}),
  'a failed set': (db) => db.query(`select 1 from notes where body = 'set x to y'`),
  'a transaction that is rolled back': async (db) => {
    await db.query(`begin; insert into notes (body) values ('x'); rollback`)
  },
}

describe.each(WAYS)('what leaves nothing through $name', ({ run }) => {
  it.each(Object.entries(HARMLESS))('keeps the client, and costs nothing: %s', async (_, act) => {
    const made = given()
    await run(made, made.acme, (db) => db.query('select 1'))
    const pid = await backendOf(made.pool)
    const count = (): Promise<number> => countTrips(made.pool, () => run(made, made.acme, act))
    // The tenant is looked up anew every few seconds, so not twice in a row.
    const trips = Math.min(await count(), await count())
    expect(await backendOf(made.pool)).toBe(pid)
    expect(trips).toBe(1)
  })
})

async function backendOf(pool: Pool): Promise<unknown> {
  return (await pool.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
}

/** How often the server said that it is ready for the next query. */
async function countTrips(pool: Pool, fn: () => Promise<unknown>): Promise<number> {
  const client = await pool.connect()
  const connection = connectionOf(client)
  client.release()
  let trips = 0
  const count = (): number => (trips += 1)
  connection.on('readyForQuery', count)
  await fn()
  // The client is lent again when it is back, with all that was done to clean it.
  const again = await pool.connect()
  connection.off('readyForQuery', count)
  again.release()
  return trips
}

function connectionOf(client: PoolClient): EventEmitter {
  return Reflect.get(client, 'connection') as EventEmitter
}
