import { Query, type Pool, type QueryArrayResult, type QueryConfig, type QueryResult } from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, type Lender, useFleet } from '../support/lenders.js'
import { type Db, WAYS, type Way } from './way.js'

const database = useDatabase()

type Form = (db: Db) => Promise<unknown>

/** pg's types know no mode. */
const EXTENDED: QueryConfig = Object.assign(
  { text: 'select id from notes' },
  { queryMode: 'extended' },
)

const FORMS: Readonly<Record<string, Form>> = {
  'a text': (db) => db.query('select id, body from notes'),
  'a text with values': (db) => db.query('select body from notes where id = $1', [1]),
  'a text with an empty list of values': (db) => db.query('select body from notes', []),
  'values of many types': (db) =>
    db.query(
      'select $1::int as i, $2::jsonb as j, $3::bytea as b, $4::text[] as t, $5::text as n',
      [7, { a: [1] }, Buffer.from('\0x'), ['a"b', null], null],
    ),
  'a config': (db) => db.query({ text: 'select body from notes where id = $1', values: [1] }),
  'a config and values': (db) => db.query({ text: 'select body from notes where id = $1' }, [1]),
  'several statements': (db) =>
    db.query(`select 1 as one; insert into notes (body) values ('b'); select count(*) from notes`),
  'several statements without rows': (db) =>
    db.query(`insert into notes (body) values ('b'); update notes set body = 'c' where false`),
  'rows as arrays': (db) => db.query({ text: 'select id, body from notes', rowMode: 'array' }),
  'rows as arrays of several statements': (db) =>
    db.query({ text: 'select 1; select id, body from notes', rowMode: 'array' }),
  'types of its own': (db) =>
    db.query({
      text: 'select id, body from notes',
      types: { getTypeParser: () => (value: string) => `parsed ${value}` },
    }),
  'the extended protocol': (db) => db.query(EXTENDED),
  'a name': (db) =>
    db.query({ name: 'of-a-name', text: 'select body from notes where id = $1', values: [1] }),
  'an empty text': (db) => db.query(''),
  'nothing but a comment': (db) => db.query('-- nothing'),
  'nothing but semicolons': (db) => db.query(' ; ;'),
  'a row that is inserted': (db) =>
    db.query(`insert into notes (body) values ('b') returning id, body`),
  'no row that is updated': (db) => db.query('update notes set body = $1 where false', ['b']),
  'a table that is made': (db) => db.query('create table made as select * from notes'),
  'a block of code': (db) => db.query(`do $$ begin insert into notes (body) values ('b'); end $$`),
  'a setting that is shown': (db) => db.query('show default_transaction_isolation'),
  'a text of 100,000 characters': (db) =>
    db.query(`insert into notes (body) values ('${'x'.repeat(100_000)}')`),
  'two columns of one name': (db) => db.query('select 1 as a, 2 as a'),
  'no columns': (db) => db.query('select from notes'),
}

/** Every statement whose commit could get lost behind a prelude. */
const WRITES: readonly string[] = [
  `insert into notes (body) values ('b')`,
  `insert into notes (body) values ('b');`,
  `insert into notes (body) values ('b') ; ;; `,
  `insert into notes (body) values ('b'); -- done`,
  `insert into notes (body) values ('b') /* a; b */`,
  `insert into notes (body) values ('b') -- a; b`,
  `/* first; */ insert into notes (body) values ('b');`,
  `insert into notes (body) values (E'b\\'; c')`,
  `insert into notes (body) values ('b''; c')`,
  `insert into notes (body) values ($$b; c$$)`,
  `insert into notes (body) values ($$;$$)`,
  `insert into notes (body) values ($tag$ $$; $tag$);`,
  `insert into notes (body) values ('b') returning body as "a;b"`,
  `with given as (insert into notes (body) values ('b') returning 1) select * from given;`,
  `do $$ begin insert into notes (body) values ('b'); end $$;`,
  `do $$ begin end $$; insert into notes (body) values ('b')`,
  `select 1; insert into notes (body) values ('b')`,
  `insert into notes (body) values ('b'); select 1;`,
  `begin; insert into notes (body) values ('b'); commit`,
  `start transaction; insert into notes (body) values ('b'); end;`,
  `insert into notes (body) values ('b'); commit`,
  `begin; insert into notes (body) values ('b'); rollback`,
  `create table kept (id int); insert into notes (body) values ('b')`,
  `create function body() returns text language sql begin atomic select 'b'; end; ` +
    `insert into notes (body) values (body())`,
]

const MISTAKES: Readonly<Record<string, Form>> = {
  'a syntax error': (db) => db.query('select * frm notes'),
  'a syntax error with values': (db) => db.query('select * frm notes where id = $1', [1]),
  'a syntax error in the second statement': (db) =>
    db.query(`insert into notes (body) values ('lost'); select * frm notes`),
  'an error at the end of several statements': (db) =>
    db.query(`insert into notes (body) values ('lost'); select nothing from notes; select 1`),
  'a hint': (db) => db.query('select bodi from notes'),
  'a hint with values': (db) => db.query('select bodi from notes where id = $1', [1]),
  'a detail': (db) => db.query(`insert into notes (id, body) values (1, 'twice')`),
  'a detail with values': (db) =>
    db.query(`insert into notes (id, body) values ($1, 'twice')`, [1]),
  'an error while it runs': (db) => db.query('select 1 / (id - 1) from notes'),
  'an error of its own': (db) =>
    db.query(
      `do $$ begin raise exception 'no' using hint = 'h', detail = 'd', errcode = 'TT001'; end $$`,
    ),
  'a missing value': (db) => db.query('select $1::int, $2::int', [1]),
  'a value of the wrong type': (db) => db.query('select * from notes where id = $1', ['x']),
  'a value that cannot be sent': (db) =>
    db.query('insert into notes (body) values ($1)', [new Unsendable()]),
  'a value that cannot be sent under a name': (db) =>
    db.query({ name: 'unsendable', text: 'select $1::text', values: [new Unsendable()] }),
  'values that are no list': (db) => db.query('select $1::text', noList('a')),
  'values that are no list, to a block of code': (db) =>
    db.query('do $$ begin end $$', noList('a')),
  'neither text nor name': (db) => db.query({ text: asText(undefined) }),
  'a table that is not there': (db) => db.query('select * from nowhere'),
  'a VACUUM among other statements': (db) => db.query('vacuum notes; select 1'),
}

class Unsendable {
  toPostgres(): never {
    throw new Error('cannot be sent')
  }
}

/** What a caller without types may hand over. */
function noList(value: unknown): unknown[] {
  return value as unknown[]
}

function asText(input: unknown): string {
  return input as string
}

/** The first tenant answers through a scope, the second one on a plain connection with its path. */
const given = useFleet(database, { pool: { max: 2 } })
let plainPool: Pool

beforeAll(() => {
  plainPool = database.pool({ max: 1, options: `-c search_path=${given().beta.schema},public` })
})

beforeEach(async () => {
  const drops = given().lenders.map(
    ({ schema }) => `drop table if exists ${schema}.made; drop table if exists ${schema}.kept;
      drop function if exists ${schema}.body();`,
  )
  await database.admin.query(drops.join(''))
})

/** What can be compared of a result or an error of two schemas. */
function comparable(outcome: unknown, { schema }: Lender): unknown {
  if (Array.isArray(outcome)) return outcome.map((each) => comparable(each, { schema, slug: '' }))
  const text = JSON.stringify(outcome instanceof Error ? facts(outcome) : shape(outcome))
  return JSON.parse(text.replaceAll(schema, '<schema>'))
}

function shape(outcome: unknown): unknown {
  const { command, rowCount, rows, fields } = outcome as QueryResult | QueryArrayResult
  return {
    command,
    rowCount,
    rows,
    fields: fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
  }
}

function facts(error: Error): unknown {
  const { name, message } = error
  return Object.assign({}, error, { name, message, length: undefined })
}

async function outcomeOf(way: (fn: Form) => Promise<unknown>, form: Form): Promise<unknown> {
  try {
    return await way(form)
  } catch (error) {
    return error
  }
}

async function onPlain(form: Form): Promise<unknown> {
  const client = await plainPool.connect()
  try {
    return await form(client)
  } finally {
    client.release()
  }
}

async function expectAlike(way: Way, form: Form): Promise<void> {
  const { acme, beta } = given()
  const expected = await outcomeOf(onPlain, form)
  const answered = await outcomeOf((fn) => way.run(given(), acme, fn), form)
  expect(comparable(answered, acme)).toEqual(comparable(expected, beta))
  expect(await committed(acme)).toEqual(await committed(beta))
  expect(await bodies(database, 'public')).toEqual(['public'])
}

async function committed({ schema }: Lender): Promise<readonly string[]> {
  return (await bodies(database, schema)).map((body) => body.replaceAll(schema, '<schema>'))
}

describe.each(WAYS)('a statement through $name', (way) => {
  it.each(Object.entries(FORMS))('answers to %s as plain pg does', async (_, form) => {
    await expectAlike(way, form)
  })

  it.each(Object.entries(MISTAKES))('fails for %s as plain pg does', async (_, form) => {
    await expectAlike(way, form)
  })

  it.each(WRITES)('commits exactly when plain pg does: %s', async (text) => {
    await expectAlike(way, (db) => db.query(text))
  })

  it('goes on after a mistake', async () => {
    const made = given()
    const { rows } = await way.run(made, made.acme, async (db) => {
      await Promise.allSettled(Object.values(MISTAKES).map(async (form) => form(db)))
      return db.query('select body from notes')
    })
    expect(rows).toEqual([{ body: made.acme.schema }])
  })

  it('leaves a config as it was', async () => {
    const made = given()
    const config = Object.freeze({ text: 'select body from notes', values: [] })
    const { rows } = await way.run(made, made.acme, (db) => db.query(config))
    expect(rows).toEqual([{ body: made.acme.schema }])
  })

  it('emits the rows of a query object', async () => {
    const made = given()
    const seen = await way.run(made, made.acme, async (db) => {
      const query = db.query(
        new Query<{ body: string }>('select body from notes where id = $1', [1]),
      )
      const rows: string[] = []
      query.on('row', ({ body }) => rows.push(body))
      await new Promise((resolve, reject) => query.on('end', resolve).on('error', reject))
      return rows
    })
    expect(seen).toEqual([made.acme.schema])
  })

  it('emits the error of a query object', async () => {
    const made = given()
    const error = await way.run(made, made.acme, async (db) => {
      const query = db.query(new Query('select nothing from notes'))
      return new Promise((resolve) => query.on('error', resolve))
    })
    expect(error).toMatchObject({ code: '42703' })
  })

  it('fetches rows in parts', async () => {
    const made = given()
    const config = { text: 'select generate_series(1, 5) as n', rows: 2 }
    const { rows } = await way.run(made, made.acme, (db) => db.query<{ n: number }>(config))
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
  })
})
