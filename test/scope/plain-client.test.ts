import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg, { Client, type ClientConfig, Query } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, fleet, type Fleet, type FleetOptions, type Lender } from '../support/lenders.js'
import { BY_CLIENT, BY_SCOPE, type Db, WAYS } from './way.js'

const database = useDatabase()

/** As pg before 8.21 and `pg-native`: nobody can ask it how its transaction stands. */
class PlainClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config)
    Object.defineProperty(this, 'getTransactionStatus', { value: undefined })
  }
}

const KINDS: Readonly<Record<string, FleetOptions['pool']>> = {
  'a client without the wire’s internals': { Client: PlainClient },
  'a client that pipelines': Object.assign({}, { pipeline: true }),
  ...nativeClient(),
}

/** `pg-native` is compiled against libpq when it is installed, so it is tested where somebody has. */
function nativeClient(): Readonly<Record<string, FleetOptions['pool']>> {
  const { native } = pg
  if (native) return { 'pg-native': { Client: native.Client } }
  console.log('Tests with pg-native are skipped: it is not installed')
  return {}
}

beforeAll(async () => {
  await database.admin.query(
    `create function public.hide_plain() returns void language plpgsql as $$
     begin execute 'create te' || 'mp table notes (id int, body text)'; end $$`,
  )
})

afterAll(async () => {
  await database.admin.query('drop function public.hide_plain')
})

describe.each(Object.entries(KINDS))('%s', (name, kind) => {
  const made = (options: FleetOptions = {}): Promise<Fleet> =>
    fleet(database, { ...options, pool: { max: 1, ...kind } })

  async function expectNotes(lender: Lender, added: readonly string[]): Promise<void> {
    expect(await bodies(database, lender.schema)).toEqual([lender.schema, ...added])
    expect(await bodies(database, 'public')).toEqual(['public'])
  }

  describe.each(WAYS)('through $name', ({ run }) => {
    it('answers for each tenant, in every form of a query', async () => {
      const given = await made()
      for (const lender of [given.acme, given.beta, given.acme]) {
        await run(given, lender, async (db) => {
          const own = [{ body: lender.schema }]
          expect((await db.query('select body from notes')).rows).toEqual(own)
          const withValues = await db.query('select body from notes where id = $1', [1])
          expect(withValues.rows).toEqual(own)
          const arrays = await db.query({ text: 'select body from notes', rowMode: 'array' })
          expect(arrays.rows).toEqual([[lender.schema]])
          const several: unknown = await db.query('select 1 as one; select body from notes')
          expect(several).toMatchObject([{ rows: [{ one: 1 }] }, { rows: own }])
          expect((await db.query('')).rows).toEqual([])
        })
      }
    })

    it('commits what is written, and leaves no transaction open', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await db.query(`insert into notes (body) values ('one')`)
        await expectNotes(given.acme, ['one'])
        await db.query('insert into notes (body) values ($1)', ['two'])
        await db.query(`insert into notes (body) values ('three'); select 1`)
        await db.query(`do $$ begin insert into notes (body) values ('four'); end $$`)
      })
      await expectNotes(given.acme, ['one', 'two', 'three', 'four'])
    })

    it('fails as plain pg does, and goes on', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await expect(db.query('select nothing from notes')).rejects.toMatchObject({
          code: '42703',
          position: '8',
        })
        const failing = db.query(`insert into notes (body) values ('lost'); nonsense`)
        await expect(failing).rejects.toMatchObject({ code: '42601' })
        await db.query(`insert into notes (body) values ('kept')`)
      })
      await expectNotes(given.acme, ['kept'])
    })

    it('stops at a missing schema, and finds it again', async () => {
      const given = await made()
      const { acme } = given
      const hidden = `${acme.schema}_hidden`
      await database.admin.query(`alter schema ${acme.schema} rename to ${hidden}`)
      await run(given, acme, async (db) => {
        for (const text of [
          'select body from notes',
          `insert into notes (body) values ('stray')`,
        ]) {
          await expect(db.query(text)).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
        }
        await database.admin.query(`alter schema ${hidden} rename to ${acme.schema}`)
        await db.query(`insert into notes (body) values ('kept')`)
      })
      await expectNotes(acme, ['kept'])
    })

    it('refuses routines that commit, and texts that go on after a COMMIT', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await expect(
          db.query(`do $$ begin insert into notes (body) values ('a'); commit; end $$`),
        ).rejects.toMatchObject({ code: '2D000' })
        for (const text of [
          `insert into notes (body) values ('a'); commit; insert into notes (body) values ('b')`,
          `begin; insert into notes (body) values ('a'); commit`,
          `rollback; select * from notes`,
        ]) {
          await expect(db.query(text)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
        }
      })
      await expectNotes(given.acme, [])
    })

    it.each([
      ['a cursor', (db: Db) => db.query(new Cursor('select body from notes')).read(1)],
      ['a stream', (db: Db) => db.query(new QueryStream('select body from notes')).toArray()],
      [
        'a COPY',
        (db: Db) =>
          pipeline(Readable.from(['in\n']), db.query(copyFrom('copy notes (body) from stdin'))),
      ],
      [
        'a query object',
        (db: Db) =>
          new Promise((resolve, reject) => {
            db.query(new Query('select 1')).on('end', resolve).on('error', reject)
          }),
      ],
    ])('refuses %s', async (__, act) => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await expect(act(db)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      })
      await expectNotes(given.acme, [])
    })

    it('answers a named statement for each tenant with its own types', async () => {
      const given = await made()
      for (const { schema } of given.lenders) {
        await database.admin.query(
          `create type ${schema}.mood as enum ('${schema}');
           alter table ${schema}.notes add column mood ${schema}.mood default '${schema}'`,
        )
      }
      const query = { name: 'notes', text: 'select mood from notes where id = $1', values: [1] }
      for (const lender of [given.acme, given.beta, given.acme]) {
        const { rows } = await run(given, lender, (db) => db.query(query))
        expect(rows).toEqual([{ mood: lender.schema }])
      }
    })

    it('starts clean although an earlier scope has hidden a temporary table', async () => {
      const given = await made()
      await run(given, given.acme, (db) => db.query('select hide_plain()'))
      const { rows } = await run(given, given.beta, async (db) => {
        await db.query('select 1')
        return db.query(`select to_regclass('pg_temp.notes') as hidden`)
      })
      expect(rows).toEqual([{ hidden: null }])
    })

    it('leaves nothing for unscoped use of the pool', async () => {
      const given = await made()
      const state = `select current_setting('search_path') as path, current_user as user,
        current_setting('statement_timeout') as timeout,
        (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`
      const before = await given.pool.query(state)
      for (const text of [
        'select body from notes',
        `set statement_timeout = '7s'`,
        'set role pg_monitor',
        `select set_config('statement_timeout', '7s', false)`,
        'select pg_advisory_lock(7)',
        'nonsense',
      ]) {
        await run(given, given.acme, (db) => db.query(text)).catch(() => {})
        expect((await given.pool.query(state)).rows, text).toEqual(before.rows)
      }
    })
  })

  describe.each([BY_SCOPE, BY_CLIENT])('in a transaction through $name', ({ run }) => {
    it('commits by text, and is scoped again afterwards', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await db.query('begin isolation level serializable')
        await db.query(`insert into notes (body) values ('one')`)
        await expectNotes(given.acme, [])
        await db.query('commit')
        await db.query(`insert into notes (body) values ('two')`)
      })
      await expectNotes(given.acme, ['one', 'two'])
    })

    it('can be rolled back after a failure, to a savepoint or whole', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await db.query('begin')
        await db.query('savepoint a')
        await db.query('nonsense').catch(() => {})
        await expect(db.query('select 1')).rejects.toMatchObject({ code: '25P02' })
        await db.query('rollback to a')
        await db.query(`insert into notes (body) values ('one')`)
        await db.query('commit')
        await db.query('begin')
        await db.query('nonsense').catch(() => {})
        await db.query('rollback')
        await db.query(`insert into notes (body) values ('two')`)
      })
      await expectNotes(given.acme, ['one', 'two'])
    })

    it('refuses a chain, which it could not see through', async () => {
      const given = await made()
      await run(given, given.acme, async (db) => {
        await db.query('begin')
        await expect(db.query('commit and chain')).rejects.toMatchObject({
          code: 'STATEMENT_REFUSED',
        })
        await db.query('rollback')
      })
    })
  })

  it('commits and rolls back the transaction of a scope', async () => {
    const given = await made()
    const { router, acme } = given
    await router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('one')`)
        await db.savepoint(() => db.query('nonsense')).catch(() => {})
        await expect(db.query('commit')).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      },
      { transaction: true },
    )
    const failing = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        throw new RangeError('the function has failed')
      },
      { transaction: true },
    )
    await expect(failing).rejects.toThrow(RangeError)
    const swallowed = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        await db.query('nonsense').catch(() => {})
      },
      { transaction: true },
    )
    await expect(swallowed).rejects.toMatchObject({ code: 'TRANSACTION_ROLLED_BACK' })
    await expectNotes(acme, ['one'])
  })

  it('reports and undoes a transaction that is left open', async () => {
    const { router, acme } = await made()
    const scope = router.withTenant(acme.slug, async (db) => {
      await db.query('begin')
      await db.query(`insert into notes (body) values ('lost')`)
    })
    await expect(scope).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
    const query = router.runAs(acme.slug, () => router.pool.query('begin'))
    await expect(query).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
    await expectNotes(acme, [])
  })

  it('runs a session scope, and puts the path back', async () => {
    // It does not say which backend it was told of, so a pooler cannot be ruled out.
    const given = await made(name === 'pg-native' ? { scope: { pooler: 'session' } } : {})
    const state = `select pg_backend_pid() as pid, current_setting('search_path') as path`
    const before = await given.pool.query(state)
    await given.router.withTenant(
      given.acme.slug,
      async (db) => {
        await db.query('vacuum notes')
        const { rows } = await db.query('select body from notes')
        expect(rows).toEqual([{ body: given.acme.schema }])
        await expect(db.query('discard all')).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      },
      { scope: 'session' },
    )
    expect((await given.pool.query(state)).rows).toEqual(before.rows)
  })

  it('answers 40 concurrent scopes, each from its own schema', async () => {
    const given = await fleet(database, { tenants: 4, pool: { max: 3, ...kind } })
    const lenders = Array.from({ length: 10 }, () => given.lenders).flat()
    await Promise.all(
      lenders.map((lender) =>
        given.router.withTenant(lender.slug, async (db) => {
          const answers = await Promise.all([
            db.query('select body from notes'),
            db.query('select body from notes where id = $1', [1]),
            given.router.pool.query('select body from notes'),
          ])
          for (const { rows } of answers) expect(rows).toEqual([{ body: lender.schema }])
        }),
      ),
    )
  })
})
