import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, useFleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

beforeEach(async () => {
  const schemas = ['public', given().acme.schema]
  const procedures = schemas.map(
    (schema) => `
      create or replace procedure ${schema}.commits() language plpgsql as $$
      begin
        insert into notes (body) values ('before');
        commit;
        insert into notes (body) values ('after');
      end $$;`,
  )
  await database.admin.query(procedures.join(''))
})

async function expectNothingDone(): Promise<void> {
  const { acme } = given()
  expect(await bodies(database, 'public')).toEqual(['public'])
  expect(await bodies(database, acme.schema)).toEqual([acme.schema])
}

const COMMITS = `insert into notes (body) values ('before'); commit; insert into notes (body) values ('after');`

/** The server itself refuses to end a transaction that it did not begin. */
const ROUTINES: readonly string[] = [
  'call commits()',
  'CALL commits();',
  '/* a */ call commits()',
  '-- a\n call commits()',
  '; call commits()',
  ';;/* a */;call commits();',
  'call commits(); select 1',
  'select 1; call commits()',
  `do $$ begin ${COMMITS} end $$`,
  `;do $$ begin ${COMMITS} end $$;`,
  `do language plpgsql $$ begin ${COMMITS} end $$; select 1`,
  `do $$ begin rollback; ${COMMITS} end $$`,
  `do $$ begin call commits(); end $$`,
]

/** What follows the end of the transaction would run without the tenant's path. */
const GOES_ON: readonly string[] = [
  `insert into notes (body) values ('a'); commit; insert into notes (body) values ('b')`,
  `begin; insert into notes (body) values ('a'); commit; select * from notes`,
  `commit; insert into notes (body) values ('b')`,
  `rollback; insert into notes (body) values ('b')`,
  `end; insert into notes (body) values ('b')`,
  `abort work; insert into notes (body) values ('b')`,
  `begin; rollback; begin; insert into notes (body) values ('b'); commit`,
  `/* a */ COMMIT /* b; */ AND CHAIN; insert into notes (body) values ('b'); commit`,
  `prepare transaction 'a'; insert into notes (body) values ('b')`,
]

describe.each(WAYS)('a statement through $name', ({ run }) => {
  it.each(ROUTINES)('may not commit half of a routine: %s', async (text) => {
    const answer = run(given(), given().acme, (db) => db.query(text))
    await expect(answer).rejects.toMatchObject({ code: '2D000' })
    await expectNothingDone()
  })

  it.each(GOES_ON)('is refused when it goes on after its transaction: %s', async (text) => {
    const answer = run(given(), given().acme, (db) => db.query(text))
    await expect(answer).rejects.toMatchObject({
      code: 'STATEMENT_REFUSED',
      schema: given().acme.schema,
    })
    await expectNothingDone()
  })

  it.each([
    `copy notes from stdin`,
    `COPY notes (body) FROM STDIN with (format csv);`,
    `/* a */ copy notes from stdin`,
    `-- from;\n copy notes from /* b */ stdin`,
  ])('is refused when it copies from a stream that is not there: %s', async (text) => {
    const answer = run(given(), given().acme, (db) => db.query(text))
    await expect(answer).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
    await expectNothingDone()
  })

  it('may not commit half of a routine in a transaction of its own', async () => {
    const { router, acme } = given()
    const answer = router.withTenant(acme.slug, (db) => db.query('begin; call commits(); commit'))
    await expect(answer).rejects.toMatchObject({ code: '2D000' })
    await expectNothingDone()
  })

  it('is followed by others as if nothing had happened', async () => {
    const { rows } = await run(given(), given().acme, async (db) => {
      const texts = [...ROUTINES, ...GOES_ON]
      const outcomes = await Promise.allSettled(texts.map(async (text) => db.query(text)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([])
      return db.query('select body from notes')
    })
    expect(rows).toEqual([{ body: given().acme.schema }])
  })

  it('may be a routine that does not commit, in any form', async () => {
    const { acme } = given()
    await run(given(), acme, async (db) => {
      await db.query(`do $$ begin insert into notes (body) values ('one'); end $$`)
      await db.query({
        name: 'doing',
        text: `do $$ begin insert into notes (body) values ('two'); end $$`,
      })
      await db.query(
        `do $$ begin insert into notes (body) values ('three'); end $$;
         do $$ begin insert into notes (body) values ('four'); end $$`,
      )
    })
    expect(await bodies(database, acme.schema)).toEqual([
      acme.schema,
      'one',
      'two',
      'three',
      'four',
    ])
  })

  it('may be a procedure with a result', async () => {
    const { acme } = given()
    await database.admin.query(
      `create or replace procedure ${acme.schema}.whose(inout whose text) language sql
       as $$ select body from notes $$`,
    )
    const { rows } = await run(given(), acme, (db) => db.query('call whose($1)', [null]))
    expect(rows).toEqual([{ whose: acme.schema }])
  })

  it('may be a routine that fails, and leaves no transaction behind', async () => {
    const { acme } = given()
    await run(given(), acme, async (db) => {
      const failing = db.query(`do $$ begin raise exception 'no'; end $$`)
      await expect(failing).rejects.toMatchObject({ code: 'P0001' })
      await db.query(`insert into notes (body) values ('kept')`)
    })
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, 'kept'])
  })
})

describe.each(WAYS)('a cursor or stream through $name', ({ run }) => {
  it.each(['call commits()', `do $$ begin ${COMMITS} end $$`, ';;call commits()'])(
    'cannot run a routine: %s',
    async (text) => {
      await run(given(), given().acme, async (db) => {
        const reading = db.query(new Cursor(text)).read(1)
        await expect(reading).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      })
      await run(given(), given().acme, async (db) => {
        const reading = db.query(new QueryStream(text)).toArray()
        await expect(reading).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      })
      await expectNothingDone()
    },
  )

  it.each(['commit; copy notes (body) from stdin', 'rollback; copy notes (body) from stdin;'])(
    'cannot copy after its transaction: %s',
    async (text) => {
      await run(given(), given().acme, async (db) => {
        const copying = pipeline(Readable.from(['lost\n']), db.query(copyFrom(text)))
        await expect(copying).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      })
      await expectNothingDone()
    },
  )
})

describe('a statement of { transaction: true }', () => {
  it.each([
    'commit',
    'COMMIT AND CHAIN',
    'end',
    'rollback',
    'abort',
    '/* a */ rollback -- b',
    `prepare transaction 'a'`,
    `insert into notes (body) values ('a'); commit`,
    `select 1; rollback; begin`,
    'begin; commit',
  ])('cannot end the transaction that the scope owns: %s', async (text) => {
    const { router, acme } = given()
    const scope = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('first')`)
        await db.query(text)
      },
      { transaction: true },
    )
    await expect(scope).rejects.toMatchObject({ code: 'STATEMENT_REFUSED', schema: acme.schema })
    await expectNothingDone()
  })

  it('cannot end it before it has begun', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, (db) => db.query('commit'), { transaction: true })
    await expect(scope).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
  })

  it('may go on after a refusal', async () => {
    const { router, acme } = given()
    await router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('one')`)
        await expect(db.query('commit')).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
        await db.query(`insert into notes (body) values ('two')`)
      },
      { transaction: true },
    )
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, 'one', 'two'])
  })
})
