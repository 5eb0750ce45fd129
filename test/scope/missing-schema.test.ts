import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, useFleet } from '../support/lenders.js'
import { type Db, WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

/** Each of these would answer from `public`, or write into it. */
const STATEMENTS: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'a text': (db) => db.query('select body from notes'),
  'a text with values': (db) => db.query('select body from notes where id = $1', [1]),
  'an insert': (db) => db.query(`insert into notes (body) values ('stray')`),
  'an insert with values': (db) => db.query('insert into notes (body) values ($1)', ['stray']),
  'several statements': (db) => db.query(`insert into notes (body) values ('stray'); select 1`),
  'a transaction of one text': (db) =>
    db.query(`begin; insert into notes (body) values ('stray'); commit`),
  'a named statement': (db) =>
    db.query({ name: 'stray', text: `insert into notes (body) values ('stray')` }),
  'a block of code': (db) =>
    db.query(`do $$ begin insert into notes (body) values ('stray'); end $$`),
  'a table to be made': (db) => db.query('create table stray (id int)'),
  'rows in parts': (db) => db.query(inParts('select body from notes')),
  'a cursor': (db) => db.query(new Cursor('select body from notes')).read(1),
  'a stream': (db) => db.query(new QueryStream('select body from notes')).toArray(),
  'a COPY in': (db) =>
    pipeline(Readable.from(['stray\n']), db.query(copyFrom('copy notes (body) from stdin'))),
  'a COPY out': (db) => db.query(copyTo('copy notes to stdout')).toArray(),
}

function inParts(text: string): { text: string; rows: number } {
  return { text, rows: 1 }
}

async function hide(): Promise<void> {
  await database.admin.query(`alter schema ${given().acme.schema} rename to hidden`)
}

async function show(): Promise<void> {
  await database.admin.query(`alter schema hidden rename to ${given().acme.schema}`)
}

describe.each(WAYS)('a missing schema through $name', ({ run }) => {
  afterEach(async () => {
    const { rows } = await database.admin.query(`select from pg_namespace where nspname = 'hidden'`)
    if (rows.length > 0) await show()
  })

  it.each(Object.entries(STATEMENTS))('stops %s', async (_, statement) => {
    const { acme } = given()
    await hide()
    await expect(run(given(), acme, statement)).rejects.toMatchObject({
      code: 'SCHEMA_MISSING',
      schema: acme.schema,
      sqlState: '3F000',
    })
    expect(await bodies(database, 'public')).toEqual(['public'])
    const { rows } = await database.admin.query(`select to_regclass('public.stray') as stray`)
    expect(rows).toEqual([{ stray: null }])
  })

  it.each(Object.entries(STATEMENTS))('leaves a usable client behind %s', async (_, statement) => {
    const { acme, beta, pool } = given()
    const before = await pool.query('select pg_backend_pid() as pid')
    await hide()
    await run(given(), acme, statement).catch(() => {})
    const other = await run(given(), beta, (db) => db.query('select body from notes'))
    await show()
    const back = await run(given(), acme, (db) =>
      db.query<{ body: string; pid: number }>('select body, pg_backend_pid() as pid from notes'),
    )
    expect(other.rows).toEqual([{ body: beta.schema }])
    expect(back.rows).toEqual([{ body: acme.schema, ...before.rows[0] }])
  })

  it('is found again on the same client', async () => {
    const { acme } = given()
    await run(given(), acme, async (db) => {
      await hide()
      await expect(db.query('select body from notes')).rejects.toMatchObject({
        code: 'SCHEMA_MISSING',
      })
      await show()
      const { rows } = await db.query('select body from notes')
      expect(rows).toEqual([{ body: acme.schema }])
    })
  })

  it('is not hidden by a temporary schema of the same table', async () => {
    const { acme } = given()
    await hide()
    await expect(
      run(given(), acme, (db) => db.query(`create temp table notes (id int, body text)`)),
    ).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
  })
})

describe('a missing schema in a transaction', () => {
  it('ends a scope that owns its transaction', async () => {
    const { router, acme } = given()
    await hide()
    const scope = router.withTenant(
      acme.slug,
      (db) => db.query(`insert into notes (body) values ('stray')`),
      { transaction: true },
    )
    await expect(scope).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    await show()
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it('fails the caller’s own transaction, which can be rolled back', async () => {
    const { router, acme } = given()
    await hide()
    await router.withTenant(acme.slug, async (db) => {
      await db.query('begin')
      await expect(db.query('select body from notes')).rejects.toMatchObject({
        code: 'SCHEMA_MISSING',
      })
      await expect(db.query('select 1')).rejects.toMatchObject({ code: '25P02' })
      await db.query('rollback')
      await show()
      const { rows } = await db.query('select body from notes')
      expect(rows).toEqual([{ body: acme.schema }])
    })
  })

  it('stops a session scope before anything is set', async () => {
    const { router, pool, acme } = given()
    const { rows: before } = await pool.query('show search_path')
    await hide()
    const scope = router.withTenant(acme.slug, (db) => db.query('select body from notes'), {
      scope: 'session',
    })
    await expect(scope).rejects.toMatchObject({ code: 'SCHEMA_MISSING', schema: acme.schema })
    await show()
    expect((await pool.query('show search_path')).rows).toEqual(before)
  })

  it('that is dropped while a transaction reads it waits for the transaction', async () => {
    const { router, acme } = given()
    await router.withTenant(
      acme.slug,
      async (db) => {
        await db.query('select body from notes')
        const dropping = database.admin.query(
          `set lock_timeout = '50ms'; drop schema ${acme.schema} cascade`,
        )
        await expect(dropping).rejects.toMatchObject({ code: '55P03' })
      },
      { transaction: true },
    )
  })
})

describe('a schema whose table is missing', () => {
  it('lets the next schema of the path answer, as PostgreSQL does', async () => {
    const { router, acme } = given()
    await database.admin.query(`create table public.shared_fact as select 42 as answer`)
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('table shared_fact'))
    await database.admin.query('drop table public.shared_fact')
    expect(rows).toEqual([{ answer: 42 }])
  })
})
