import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { fleet, type Fleet, type Lender } from '../support/lenders.js'
import { BY_SCOPE, type Db, WAYS } from './way.js'

const database = useDatabase()

/** Each schema has an enum of its own under one name, so that one plan does not fit all. */
async function withMoods(made: Fleet): Promise<void> {
  const texts = made.lenders.map(
    ({ schema }, index) => `
      create type ${schema}.mood as enum ('mood ${index}', 'other');
      alter table ${schema}.notes add column mood ${schema}.mood default 'mood ${index}';`,
  )
  await database.admin.query(texts.join(''))
}

const NOTES = { name: 'notes', text: 'select * from notes where id = $1', values: [1] }

/** The names that a backend knows, beside the scope's own. */
async function preparedOn(made: Fleet): Promise<readonly string[]> {
  const { rows } = await made.pool.query<{ name: string }>(
    `select name from pg_prepared_statements where statement not like '%set_config%' order by name`,
  )
  return rows.map(({ name }) => name)
}

function inEachOf(made: Fleet, fn: (lender: Lender) => Promise<void>): Promise<void> {
  return made.lenders.reduce((before, lender) => before.then(() => fn(lender)), Promise.resolve())
}

async function oneClient(tenants = 3, scope = {}): Promise<Fleet> {
  return fleet(database, { tenants, pool: { max: 1 }, scope })
}

describe.each(WAYS)('a named statement through $name', ({ run }) => {
  it('answers for each tenant with its own types under one name', async () => {
    const made = await oneClient()
    await withMoods(made)
    for (const round of [1, 2]) {
      await inEachOf(made, async (lender) => {
        const { rows } = await run(made, lender, (db) => db.query(NOTES))
        const mood = `mood ${made.lenders.indexOf(lender)}`
        expect(rows, `round ${round}`).toEqual([{ id: 1, body: lender.schema, mood }])
      })
    }
  })

  it('is parsed once per tenant and connection', async () => {
    const made = await oneClient()
    for (const lender of [...made.lenders, ...made.lenders]) {
      await run(made, lender, (db) => db.query(NOTES))
    }
    expect(await preparedOn(made)).toHaveLength(3)
  })

  it('answers rightly after a migration has added a column', async () => {
    const made = await oneClient()
    await inEachOf(made, async (lender) => {
      await run(made, lender, (db) => db.query(NOTES))
    })
    await database.admin.query(
      `alter table ${made.acme.schema}.notes add column paid int default 7`,
    )
    const { rows } = await run(made, made.acme, (db) => db.query(NOTES))
    expect(rows).toEqual([{ id: 1, body: made.acme.schema, paid: 7 }])
    expect(await preparedOn(made)).toHaveLength(3)
  })

  it('writes once when it is parsed again after a migration', async () => {
    const made = await oneClient()
    const add = { name: 'add', text: `insert into notes (body) values ($1) returning *` }
    await run(made, made.acme, (db) => db.query(add, ['one']))
    await database.admin.query(
      `alter table ${made.acme.schema}.notes add column paid int default 7`,
    )
    const { rows } = await run(made, made.acme, (db) => db.query(add, ['two']))
    expect(rows).toMatchObject([{ body: 'two', paid: 7 }])
    const all = await run(made, made.acme, (db) => db.query('select body from notes order by id'))
    expect(all.rows.map(({ body }) => String(body))).toEqual([made.acme.schema, 'one', 'two'])
  })

  it('fails as plain pg does, and can be used again', async () => {
    const made = await oneClient()
    const bad = { name: 'bad', text: 'select nothing from notes' }
    for (const round of [1, 2]) {
      await expect(
        run(made, made.acme, (db) => db.query(bad)),
        `round ${round}`,
      ).rejects.toMatchObject({ code: '42703', position: '8' })
    }
    const divide = { name: 'divide', text: 'select 1 / $1::int as answer' }
    await expect(run(made, made.acme, (db) => db.query(divide, [0]))).rejects.toMatchObject({
      code: '22012',
    })
    const { rows } = await run(made, made.acme, (db) => db.query(divide, [1]))
    expect(rows).toEqual([{ answer: 1 }])
  })

  it('survives that all statements are dropped by a tenant', async () => {
    const made = await oneClient()
    await run(made, made.acme, (db) => db.query(NOTES))
    await run(made, made.beta, (db) => db.query('deallocate all'))
    const { rows } = await run(made, made.acme, (db) => db.query(NOTES))
    expect(rows).toEqual([{ id: 1, body: made.acme.schema }])
  })

  it.each(['deallocate all', 'discard all', `do $$ begin execute 'deallocate all'; end $$`])(
    'survives that all statements are dropped outside of a scope: %s',
    async (text) => {
      const made = await oneClient()
      for (const lender of made.lenders) await run(made, lender, (db) => db.query(NOTES))
      await made.pool.query(text)
      for (const lender of made.lenders) {
        const { rows } = await run(made, lender, (db) => db.query(NOTES))
        expect(rows).toEqual([{ id: 1, body: lender.schema }])
      }
    },
  )

  it.each([
    ['by text', {}],
    ['of the scope', { transaction: true }],
  ])('survives it at the beginning of a transaction %s', async (_, options) => {
    const made = await oneClient()
    for (const lender of made.lenders) await run(made, lender, (db) => db.query(NOTES))
    await made.pool.query('discard all')
    const rows = await made.router.withTenant(
      made.acme.slug,
      async (db) => {
        if (!('transaction' in options)) await db.query('begin isolation level serializable')
        const first = await db.query(NOTES)
        const { rows: level } = await db.query('show transaction_isolation')
        if (!('transaction' in options)) await db.query('commit')
        return [...first.rows, ...level]
      },
      { ...options, ...('transaction' in options && { isolation: 'serializable' }) },
    )
    expect(rows).toEqual([
      { id: 1, body: made.acme.schema },
      { transaction_isolation: 'serializable' },
    ])
  })

  it('survives that all statements are dropped where nobody sees it', async () => {
    const made = await oneClient()
    await run(made, made.acme, (db) => db.query(NOTES))
    await run(made, made.beta, (db) => db.query(`do $$ begin execute 'deallocate all'; end $$`))
    const { rows } = await run(made, made.acme, (db) => db.query(NOTES))
    expect(rows).toEqual([{ id: 1, body: made.acme.schema }])
  })
})

describe('a named statement', () => {
  it('in a transaction lets the error of a changed table reach the caller', async () => {
    const made = await oneClient()
    await made.router.withTenant(made.acme.slug, (db) => db.query(NOTES))
    await database.admin.query(`alter table ${made.acme.schema}.notes add column paid int`)
    const scope = made.router.withTenant(
      made.acme.slug,
      async (db) => {
        await db.query('select 1')
        return db.query(NOTES)
      },
      { transaction: true },
    )
    await expect(scope).rejects.toMatchObject({ code: '0A000' })
  })

  it('keeps its own name apart from unscoped use of the same name', async () => {
    const made = await oneClient()
    await made.router.withTenant(made.acme.slug, (db) => db.query(NOTES))
    const { rows } = await made.pool.query(NOTES)
    expect(rows).toEqual([{ id: 1, body: 'public' }])
    const again = await made.router.withTenant(made.acme.slug, (db) => db.query(NOTES))
    expect(again.rows).toEqual([{ id: 1, body: made.acme.schema }])
  })

  it('may not have two texts under one name, as in plain pg', async () => {
    const made = await oneClient()
    await made.router.withTenant(made.acme.slug, async (db) => {
      await db.query(NOTES)
      await expect(db.query({ ...NOTES, text: 'select 1', values: [] })).rejects.toThrow(
        'Prepared statements must be unique',
      )
      const { rows } = await db.query(NOTES)
      expect(rows).toEqual([{ id: 1, body: made.acme.schema }])
    })
  })

  it('of two tenants may have different texts under one name', async () => {
    const made = await oneClient()
    await made.router.withTenant(made.acme.slug, (db) => db.query(NOTES))
    const { rows } = await made.router.withTenant(made.beta.slug, (db) =>
      db.query({ name: NOTES.name, text: 'select 42 as answer' }),
    )
    expect(rows).toEqual([{ answer: 42 }])
  })
})

describe('maxStatementsPerClient', () => {
  it.each([
    ['names of the caller', {}],
    ['names of prepare', { prepare: true }],
  ])('bounds what a backend keeps: %s', async (_, scope) => {
    const made = await oneClient(2, { ...scope, maxStatementsPerClient: 5 })
    for (const lender of made.lenders) {
      for (let index = 0; index < 12; index += 1) {
        const text = `select ${index} as n, body from notes`
        const { rows } = await BY_SCOPE.run(made, lender, (db) =>
          db.query({ text, ...('prepare' in scope ? {} : { name: `s${index}` }) }),
        )
        expect(rows).toEqual([{ n: index, body: lender.schema }])
      }
    }
    expect((await preparedOn(made)).length).toBeLessThanOrEqual(5)
  })

  it.each([1, 2])('may be as low as %i', async (maxStatementsPerClient) => {
    const made = await oneClient(3, { prepare: true, maxStatementsPerClient })
    for (const lender of [...made.lenders, ...made.lenders]) {
      await made.router.withTenant(lender.slug, async (db) => {
        for (const text of ['select body from notes', 'select body from notes limit 1']) {
          const { rows } = await db.query(text)
          expect(rows).toEqual([{ body: lender.schema }])
        }
      })
    }
    expect((await preparedOn(made)).length).toBeLessThanOrEqual(maxStatementsPerClient)
  })

  it('lets go of statements although the schema is missing', async () => {
    const made = await oneClient(2, { maxStatementsPerClient: 2 })
    await database.admin.query(
      `alter schema ${made.beta.schema} rename to ${made.beta.schema}_gone`,
    )
    for (let index = 0; index < 6; index += 1) {
      const query = { name: `s${index}`, text: `select ${index}` }
      await made.router.withTenant(made.acme.slug, (db) => db.query(query))
      await made.router.withTenant(made.beta.slug, (db) => db.query(query)).catch(() => {})
    }
    await made.router.withTenant(made.acme.slug, (db) =>
      db.query({ name: 'last', text: 'select 1' }),
    )
    expect((await preparedOn(made)).length).toBeLessThanOrEqual(2)
  })
})

describe('prepare', () => {
  const TEXTS: readonly ((db: Db) => Promise<{ rows: readonly unknown[] }>)[] = [
    (db) => db.query('select body from notes'),
    (db) => db.query('select body from notes where id = $1', [1]),
    (db) => db.query('with n as (select * from notes) select body from n'),
    (db) => db.query('update notes set id = id returning body'),
    (db) => db.query('insert into notes (body) select null where false returning body'),
  ]

  it('prepares statements, and answers for each tenant', async () => {
    const made = await oneClient(4, { prepare: true })
    for (const round of [1, 2, 3]) {
      await inEachOf(made, async (lender) => {
        const answers = await made.router.withTenant(lender.slug, (db) =>
          Promise.all(TEXTS.map(async (text) => (await text(db)).rows)),
        )
        const own = [{ body: lender.schema }]
        expect(answers, `round ${round}`).toEqual([own, own, own, own, []])
      })
    }
    expect(await preparedOn(made)).toHaveLength(4 * TEXTS.length)
  })

  it('leaves utility statements, several statements and cursors unnamed', async () => {
    const made = await oneClient(1, { prepare: true })
    await made.router.withTenant(made.acme.slug, async (db) => {
      await db.query('create table made (id int)')
      await db.query('show search_path')
      await db.query('select 1; select 2')
      await db.query('')
    })
    expect(await preparedOn(made)).toEqual([])
  })

  it('answers with each tenant’s own types', async () => {
    const made = await oneClient(3, { prepare: true })
    await withMoods(made)
    for (const lender of [...made.lenders, ...made.lenders]) {
      const { rows } = await made.router.withTenant(lender.slug, (db) =>
        db.query('select mood from notes'),
      )
      expect(rows).toEqual([{ mood: `mood ${made.lenders.indexOf(lender)}` }])
    }
  })

  it('answers with the columns of a later migration', async () => {
    const made = await oneClient(1, { prepare: true })
    const read = (): Promise<unknown> =>
      made.router.withTenant(
        made.acme.slug,
        async (db) => (await db.query('select * from notes')).rows,
      )
    await read()
    await database.admin.query(
      `alter table ${made.acme.schema}.notes add column paid int default 7`,
    )
    expect(await read()).toEqual([{ id: 1, body: made.acme.schema, paid: 7 }])
  })

  it('survives a missing schema that comes back', async () => {
    const made = await oneClient(2, { prepare: true })
    const read = async (): Promise<unknown> => {
      const { rows } = await made.router.withTenant(made.acme.slug, (db) =>
        db.query('select body from notes'),
      )
      return rows
    }
    await read()
    await database.admin.query(`alter schema ${made.acme.schema} rename to hidden_for_prepare`)
    await expect(read()).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
    await database.admin.query(`alter schema hidden_for_prepare rename to ${made.acme.schema}`)
    expect(await read()).toEqual([{ body: made.acme.schema }])
  })

  it('runs a statement that fails again and again', async () => {
    const made = await oneClient(1, { prepare: true })
    for (const text of ['select nothing from notes', 'select 1 / (id - 1) from notes']) {
      for (const round of [1, 2]) {
        await expect(
          made.router.withTenant(made.acme.slug, (db) => db.query(text)),
          `round ${round}`,
        ).rejects.toMatchObject({ severity: 'ERROR' })
      }
    }
    const { rows } = await made.router.withTenant(made.acme.slug, (db) =>
      db.query('select body from notes'),
    )
    expect(rows).toEqual([{ body: made.acme.schema }])
  })
})
