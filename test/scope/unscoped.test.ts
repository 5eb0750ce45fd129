import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, fleet, type Fleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()

const STATE = `
  select pg_backend_pid() as pid, current_setting('search_path') as path, current_schemas(true)::text as schemas,
         current_user as user, current_setting('statement_timeout') as timeout,
         current_setting('application_name') as application, txid_current_if_assigned() as transaction`

async function state({ pool }: Fleet): Promise<unknown> {
  return (await pool.query(STATE)).rows[0]
}

describe.each(WAYS)('unscoped use of a pool that scopes use through $name', ({ run }) => {
  const given = (options = {}): Promise<Fleet> =>
    fleet(database, { pool: { max: 1, application_name: 'the owner', ...options } })

  it('finds the client as it was, after scopes of several tenants', async () => {
    const made = await given()
    const before = await state(made)
    for (const lender of [made.acme, made.beta]) {
      await run(made, lender, (db) => db.query('select body from notes'))
      expect(await state(made)).toEqual(before)
      await run(made, lender, (db) => db.query('select 1; select 2'))
      await run(made, lender, (db) => db.query({ name: 'named', text: 'select body from notes' }))
      expect(await state(made)).toEqual(before)
    }
  })

  it.each([
    ['a mistake', 'nonsense'],
    ['a mistake among others', `insert into notes (body) values ('x'); nonsense`],
    ['a failure while it runs', 'select 1 / (id - 1) from notes'],
    ['a routine that commits', 'do $$ begin commit; end $$'],
    ['a refused text', 'commit; select 1'],
    ['a transaction that is left open', 'begin'],
    ['a failed transaction that is left open', 'begin; nonsense'],
  ])('finds the client as it was, after %s', async (_, text) => {
    const made = await given()
    const before = await state(made)
    await run(made, made.acme, (db) => db.query(text)).catch(() => {})
    expect(await state(made)).toEqual(before)
  })

  it('finds the client as it was, after a missing schema', async () => {
    const made = await given()
    const before = await state(made)
    await database.admin.query(
      `alter schema ${made.acme.schema} rename to ${made.acme.schema}_gone`,
    )
    await run(made, made.acme, (db) => db.query('select 1')).catch(() => {})
    expect(await state(made)).toEqual(before)
  })

  it('keeps a path of its own', async () => {
    const made = await given({ options: `-c search_path=pg_catalog` })
    const before = await state(made)
    const { rows } = await run(made, made.acme, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: made.acme.schema }])
    expect(await state(made)).toEqual(before)
  })

  it('keeps a path and settings that its owner has given each client', async () => {
    const made = await given()
    made.pool.on('connect', (client) => {
      void client.query(`set search_path to information_schema; set statement_timeout to '11s'`)
    })
    const before = await state(made)
    expect(before).toMatchObject({ path: 'information_schema', timeout: '11s' })
    for (const lender of [made.acme, made.beta]) {
      const { rows } = await run(made, lender, (db) => db.query('select body from notes'))
      expect(rows).toEqual([{ body: lender.schema }])
      expect(await state(made)).toEqual(before)
    }
  })

  it('writes where it always wrote', async () => {
    const made = await given()
    await run(made, made.acme, (db) => db.query('select body from notes'))
    await made.pool.query(`insert into notes (body) values ('unscoped')`)
    expect(await bodies(database, 'public')).toEqual(['public', 'unscoped'])
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
  })

  it('keeps its prepared statements', async () => {
    const made = await given()
    const query = { name: 'of-the-owner', text: 'select body from notes' }
    await made.pool.query(query)
    await run(made, made.acme, (db) => db.query(query))
    const { rows } = await made.pool.query(query)
    expect(rows).toEqual([{ body: 'public' }])
    const prepared = await made.pool.query(
      `select statement from pg_prepared_statements where name = 'of-the-owner'`,
    )
    expect(prepared.rows).toHaveLength(1)
  })
})

describe('unscoped use of a pool inside of a scope', () => {
  it('is not scoped', async () => {
    const made = await fleet(database)
    await made.router.withTenant(made.acme.slug, async (db) => {
      expect((await made.pool.query('select body from notes')).rows).toEqual([{ body: 'public' }])
      expect((await db.query('select body from notes')).rows).toEqual([{ body: made.acme.schema }])
    })
  })

  it('takes a client of its own', async () => {
    const made = await fleet(database)
    await made.router.withTenant(made.acme.slug, async (db) => {
      const mine = await db.query('select pg_backend_pid() as pid')
      const other = await made.pool.query('select pg_backend_pid() as pid')
      expect(other.rows).not.toEqual(mine.rows)
    })
  })
})
