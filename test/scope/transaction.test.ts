import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, type Lender, useFleet } from '../support/lenders.js'
import { BY_CLIENT, BY_SCOPE, type Db, type Way } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

const BODY = 'select body from notes where id = 1'

/** The ways that keep one client for several statements. */
const KEEPING: readonly Way[] = [BY_SCOPE, BY_CLIENT]

const BEGINS: readonly string[] = [
  'begin',
  'BEGIN;',
  'begin work',
  'begin transaction;',
  'start transaction',
  '  START TRANSACTION  ;  ',
  '-- a comment;\nbegin',
  '/* a /* nested; */ comment */ begin /* and; */ transaction -- more',
  'begin isolation level serializable',
  'start transaction isolation level repeatable read, read write',
  'BEGIN READ WRITE',
  'begin transaction not deferrable',
  ';begin',
]

const COMMITS: readonly string[] = [
  'commit',
  'COMMIT;',
  'commit work',
  'end',
  'END TRANSACTION;',
  '/* a */ commit -- b',
  'commit and no chain',
]

const ROLLBACKS: readonly string[] = [
  'rollback',
  'ROLLBACK;',
  'abort',
  'rollback work',
  '/* a */ Abort',
]

async function expectNotes(lender: Lender, added: readonly string[]): Promise<void> {
  expect(await bodies(database, lender.schema)).toEqual([lender.schema, ...added])
  expect(await bodies(database, 'public')).toEqual(['public'])
}

function insert(db: Db, body: string): Promise<unknown> {
  return db.query('insert into notes (body) values ($1)', [body])
}

async function expectOwn(db: Db, { schema }: Lender): Promise<void> {
  const plain = await db.query(BODY)
  expect(plain.rows).toEqual([{ body: schema }])
  const withValues = await db.query('select body from notes where id = $1', [1])
  expect(withValues.rows).toEqual([{ body: schema }])
}

describe.each(KEEPING)('a transaction by text through $name', (way) => {
  const run = <R>(fn: (db: Db) => Promise<R>): Promise<R> => way.run(given(), given().acme, fn)

  it.each(BEGINS)('is opened by: %s', async (begin) => {
    const { acme } = given()
    await run(async (db) => {
      await db.query(begin)
      await expectOwn(db, acme)
      await insert(db, 'one')
      await expectNotes(acme, [])
      await db.query('commit')
      await expectOwn(db, acme)
    })
    await expectNotes(acme, ['one'])
  })

  it.each(COMMITS)('is committed by: %s', async (commit) => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await insert(db, 'one')
      await db.query(commit)
      await expectNotes(acme, ['one'])
      await expectOwn(db, acme)
      await insert(db, 'two')
    })
    await expectNotes(acme, ['one', 'two'])
  })

  it.each(ROLLBACKS)('is undone by: %s', async (rollback) => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await insert(db, 'one')
      await db.query(rollback)
      await expectOwn(db, acme)
      await insert(db, 'two')
    })
    await expectNotes(acme, ['two'])
  })

  it('gets the options that it asks for', async () => {
    const rows = await run(async (db) => {
      await db.query('begin isolation level serializable, read only, deferrable')
      const { rows: shown } = await db.query(
        `select current_setting('transaction_isolation') as isolation,
                current_setting('transaction_read_only') as "readOnly",
                current_setting('transaction_deferrable') as deferrable`,
      )
      await db.query('rollback')
      return shown
    })
    expect(rows).toEqual([{ isolation: 'serializable', readOnly: 'on', deferrable: 'on' }])
  })

  it('can set its options before its first query', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await db.query('set transaction isolation level serializable')
      await db.query('set transaction read only')
      await expectOwn(db, acme)
      await expect(insert(db, 'one')).rejects.toMatchObject({ code: '25006' })
      await db.query('rollback')
    })
    await expectNotes(acme, [])
  })

  it('that failed can be rolled back', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await insert(db, 'one')
      await expect(db.query('select nothing from notes')).rejects.toMatchObject({ code: '42703' })
      await expect(db.query(BODY)).rejects.toMatchObject({ code: '25P02' })
      await db.query('rollback')
      await expectOwn(db, acme)
      await insert(db, 'two')
    })
    await expectNotes(acme, ['two'])
  })

  it('that failed at once can be rolled back', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await expect(db.query('nonsense')).rejects.toMatchObject({ code: '42601' })
      await db.query('rollback')
      await expectOwn(db, acme)
    })
  })

  it('that failed answers COMMIT with a rollback, as PostgreSQL does', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await insert(db, 'one')
      await db.query('nonsense').catch(() => {})
      expect(await db.query('commit')).toMatchObject({ command: 'ROLLBACK' })
      await expectOwn(db, acme)
    })
    await expectNotes(acme, [])
  })

  it.each(['commit and chain', 'rollback and chain', 'COMMIT WORK AND CHAIN'])(
    'goes on in its schema after: %s',
    async (chain) => {
      const { acme } = given()
      await run(async (db) => {
        await db.query('begin')
        await expectOwn(db, acme)
        await db.query(chain)
        await expectOwn(db, acme)
        await insert(db, 'chained')
        await db.query('commit')
        await expectOwn(db, acme)
      })
      await expectNotes(acme, ['chained'])
    },
  )

  it('that failed goes on in its schema after ROLLBACK AND CHAIN', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await db.query('nonsense').catch(() => {})
      await db.query('rollback and chain')
      await insert(db, 'chained')
      await db.query('commit')
    })
    await expectNotes(acme, ['chained'])
  })

  it('can be begun by a text that does more', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query(`begin; insert into notes (body) values ('one')`)
      await expectOwn(db, acme)
      await insert(db, 'two')
      await db.query(`insert into notes (body) values ('three'); commit`)
      await expectOwn(db, acme)
    })
    await expectNotes(acme, ['one', 'two', 'three'])
  })

  it.each([
    `begin isolation level serializable; insert into notes (body) values ('one'); commit`,
    `begin; set transaction isolation level serializable; insert into notes (body) values ('one'); commit`,
  ])('of one text cannot ask for an isolation level, and says so: %s', async (text) => {
    const { acme } = given()
    await run(async (db) => {
      await expect(db.query(text)).rejects.toMatchObject({ code: '25001' })
      await db.query('rollback')
    })
    await expectNotes(acme, [])
  })

  it('can be left to PostgreSQL’s second phase, and ends with that', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await insert(db, 'one')
      // Servers that allow none refuse it with 55000, and roll back.
      await db.query(`prepare transaction 'two phases'`).catch(() => {})
      await expectOwn(db, acme)
      await db.query(`rollback prepared 'two phases'`).catch(() => {})
    })
    await expectNotes(acme, [])
  })

  it('of statements that are not awaited keeps their order', async () => {
    const { acme } = given()
    await run(async (db) => {
      await Promise.all([
        db.query('begin'),
        insert(db, 'one'),
        db.query('savepoint a'),
        insert(db, 'two'),
        db.query('rollback to a'),
        insert(db, 'three'),
        db.query('commit'),
        insert(db, 'four'),
      ])
    })
    await expectNotes(acme, ['one', 'three', 'four'])
  })
})

describe.each(KEEPING)('a savepoint by text through $name', (way) => {
  const run = <R>(fn: (db: Db) => Promise<R>): Promise<R> => way.run(given(), given().acme, fn)

  it.each([
    'rollback to a',
    'ROLLBACK TO SAVEPOINT a',
    'rollback work to a',
    '/* b */ rollback to a',
  ])('keeps the path when the transaction goes back to it: %s', async (rollback) => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await db.query('savepoint a')
      await insert(db, 'lost')
      await db.query(rollback)
      await expectOwn(db, acme)
      await insert(db, 'kept')
      await db.query('commit')
    })
    await expectNotes(acme, ['kept'])
  })

  it('saves a transaction whose first statement failed', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin; savepoint a')
      await db.query('nonsense').catch(() => {})
      await db.query('rollback to a')
      await expectOwn(db, acme)
      await db.query('release a')
      await insert(db, 'kept')
      await db.query('commit')
    })
    await expectNotes(acme, ['kept'])
  })

  it('can be one of several', async () => {
    const { acme } = given()
    await run(async (db) => {
      await db.query('begin')
      await db.query('savepoint a')
      await db.query('savepoint b')
      await expectOwn(db, acme)
      await db.query('rollback to b')
      await insert(db, 'kept')
      await db.query('release savepoint b')
      await db.query('savepoint c')
      await insert(db, 'lost')
      await db.query('rollback to c')
      await expectOwn(db, acme)
      await db.query('commit')
    })
    await expectNotes(acme, ['kept'])
  })

  it('outside of a transaction fails as in PostgreSQL', async () => {
    const { acme } = given()
    await run(async (db) => {
      await expect(db.query('savepoint a')).rejects.toMatchObject({ code: '25P01' })
      await expectOwn(db, acme)
    })
  })
})

describe('a transaction that is left open', () => {
  it.each([
    ['after its BEGIN', ['begin']],
    ['after a statement', ['begin', `insert into notes (body) values ('lost')`]],
    ['by a text that does more', [`begin; insert into notes (body) values ('lost')`]],
    ['by a chain', ['begin', 'select 1', 'commit and chain', `delete from notes`]],
  ])('%s is rolled back and reported', async (_, texts) => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, async (db) => {
      for (const text of texts) await db.query(text)
    })
    await expect(scope).rejects.toMatchObject({
      code: 'TRANSACTION_LEFT_OPEN',
      schema: acme.schema,
    })
    await expectNotes(acme, [])
  })

  it('and had failed is rolled back and reported', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, async (db) => {
      await db.query('begin')
      await db.query('nonsense').catch(() => {})
    })
    await expect(scope).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
  })

  it('by a function that fails is rolled back, and its error counts', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, async (db) => {
      await db.query(`begin; insert into notes (body) values ('lost')`)
      throw new RangeError('the function has failed')
    })
    await expect(scope).rejects.toThrow(RangeError)
    await expectNotes(acme, [])
  })

  it.each(['router.pool', 'router.poolFor()'])('by a query of %s is reported', async (where) => {
    const { router, acme } = given()
    const pool = where === 'router.pool' ? router.pool : router.poolFor(acme.slug)
    const query = router.runAs(acme.slug, () => pool.query('begin'))
    await expect(query).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
    const writing = router.runAs(acme.slug, () =>
      pool.query(`begin; insert into notes (body) values ('lost')`),
    )
    await expect(writing).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
    await expectNotes(acme, [])
  })

  it('by a query that fails does not hide the error', async () => {
    const { router, acme } = given()
    const query = router.runAs(acme.slug, () => router.pool.query('begin; nonsense; commit'))
    await expect(query).rejects.toMatchObject({ code: '42601' })
  })

  it('on a client of router.pool is rolled back at its release', async () => {
    const { router, pool, acme } = given()
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    await client.query('begin')
    await insert(client, 'lost')
    const back = once(pool, 'release')
    client.release()
    await back
    await expectNotes(acme, [])
    expect(pool.totalCount).toBe(1)
  })

  it('does not reach the next tenant', async () => {
    const { router, acme, beta } = given()
    await router.withTenant(acme.slug, (db) => db.query('begin')).catch(() => {})
    await router.withTenant(beta.slug, (db) => insert(db, 'kept'))
    await expectNotes(beta, ['kept'])
  })
})
